//! Tests of cells: shapes, bodies, extremes.

#![expect(clippy::unwrap_used, reason = "tests")]

use glovebox_policy::{NanoEpsilon, Public};

use super::*;
use crate::plan::{Ask, plan_noise};
use crate::sensitivity::Family;

fn plan() -> NoisePlan {
    let family = |label: &str, linf| Family { label: Public::from_request(label.to_owned()), linf };
    let ask = Ask { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 0.0, mechanism: None };
    plan_noise(vec![family("count", 1), family("sum", 250)], 3, Geometry::GroupSelection { max_groups: 1 }, ask)
        .unwrap()
}

fn exact(cells: Vec<Vec<i128>>) -> Result<Exact, ShapeError> {
    Exact::new(Protected::seal(cells), plan(), Digest::of(b"request"))
}

#[test]
fn only_cells_of_the_planned_shape_are_taken() {
    assert!(exact(vec![vec![0; 3], vec![0; 3]]).is_ok());
    for wrong in [vec![], vec![vec![0; 3]], vec![vec![0; 3]; 3], vec![vec![0; 3], vec![0; 2]], vec![vec![0; 4]; 2]] {
        assert_eq!(exact(wrong).unwrap_err().to_string(), "the cells are not 2 families of 3 groups");
    }
}

#[test]
fn debug_shows_no_cell() {
    let shown = format!("{:?}", exact(vec![vec![987_654_321; 3]; 2]).unwrap());
    assert!(shown.contains("Protected(…)") && !shown.contains("987654321"));
}

#[test]
fn a_body_comes_back_as_it_went_and_keeps_its_form() {
    let mut noisy = exact(vec![vec![0; 3]; 2]).unwrap().noised().unwrap();
    noisy.cells = vec![vec![i128::MAX, i128::MIN, -1], vec![0, 1, 2]];
    let body = noisy.to_body().unwrap();
    assert_eq!(NoisyCells::from_body(&body).unwrap(), noisy);
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "{\"version\":1,\"release\":{\"kind\":\"laplace\",\"geometry\":{\"group_selection\":{\"max_groups\":1}},\
         \"groups\":3,\"cost\":{\"rho\":274877906944,\"delta\":0},\"families\":[\
         {\"label\":\"count\",\"linf\":1,\"scale\":{\"numerator\":2147483648,\"denominator_log2\":30},\"half_width_95\":6},\
         {\"label\":\"sum\",\"linf\":250,\"scale\":{\"numerator\":4194304000,\"denominator_log2\":23},\
         \"half_width_95\":1498}],\"cells\":[[\"170141183460469231731687303715884105727\",\
         \"-170141183460469231731687303715884105728\",\"-1\"],[\"0\",\"1\",\"2\"]]}}"
    );
}

#[test]
fn a_strange_body_is_not_read() {
    let noisy = exact(vec![vec![0; 3]; 2]).unwrap().noised().unwrap();
    let body = String::from_utf8(noisy.to_body().unwrap()).unwrap();
    let read = |text: String| NoisyCells::from_body(text.as_bytes());
    assert!(matches!(read(body.replace("\"version\":1", "\"version\":2")), Err(BodyError::Version(2))));
    assert!(matches!(read(body.replace("\"groups\":3", "\"groups\":4")), Err(BodyError::Shape)));
    assert!(matches!(read(body.replace("\"groups\":3", "\"groups\":3,\"extra\":0")), Err(BodyError::Json(_))));
    assert!(matches!(
        read(body.replace("\"denominator_log2\":30", "\"denominator_log2\":64")),
        Err(BodyError::Json(_))
    ));
    assert!(matches!(read(String::new()), Err(BodyError::Json(_))));
}
