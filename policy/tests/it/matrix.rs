//! Who may use which column how: every role, every role of use, every situation, in `matrix.golden`.

use std::fmt::Write as _;

use glovebox_policy::{Role, RoleOfUse, SignedContract};

use crate::decide::Question;
use crate::support::{contract_with, golden, signed};

/// A situation: its name, the column, and what is special about it.
type Situation = (&'static str, &'static str, fn(&mut Question));

const SITUATIONS: &[Situation] = &[
    ("own contract, column granted in every role of use", "income", |_| ()),
    ("column granted for aggregates alone", "age", |_| ()),
    ("column not granted", "zip", |_| ()),
    ("identifier column, granted all the same", "person_id", |_| ()),
    ("no officer has approved", "income", |q| q.approvals = 0),
    ("contract of another organisation", "income", |q| q.caller.org = "globex".parse().unwrap()),
    ("own contract, but on another dataset", "income", |q| q.dataset = "medical.claims".parse().unwrap()),
    ("dataset frozen", "income", |q| q.frozen = true),
    ("contract expired", "income", |q| q.now = q.contract.contract().ends.timestamp()),
    ("contract not yet in force", "income", |q| q.now = q.contract.contract().starts.timestamp() - 1),
    ("no purpose named, contract has one", "income", |q| q.purpose = None),
    ("no purpose named, contract has two", "income", |q| {
        q.purpose = None;
        q.contract = contract("[\"research\", \"marketing\"]");
    }),
    ("purpose outside the contract", "income", |q| q.purpose = Some("marketing")),
    ("purpose that the bureau does not know", "income", |q| q.purpose = Some("fun")),
    ("purpose that belongs to the contract's", "income", |q| q.purpose = Some("trials")),
    ("purpose broader than the contract's", "income", |q| q.purpose = Some("any")),
    ("purpose two steps below the contract's", "income", |q| {
        q.purpose = Some("trials");
        q.contract = contract("[\"any\"]");
    }),
    ("purpose known, contract names one that is not", "income", |q| q.contract = contract("[\"fun\"]")),
];

fn contract(purposes: &str) -> SignedContract {
    signed(&contract_with(&[("[\"research\"]", purposes)]))
}

/// The first cell of a line is a request that uses no column at all, `COUNT(*)`: the same baseline holds for it.
#[test]
fn the_policy_matrix() {
    let mut out = String::from(
        "The contract: `acme` may use `medical.rand_hie` for `research`; `income` and `person_id` in every role of use,\n\
         `age` in aggregates. The purposes: `trials` belongs to `research`, `research` to `any`; `marketing` to none.\n\
         ✔ permitted, ✘ refused. `(none)` is a request that uses no column, `COUNT(*)`.\n\
         One officer has approved the request, unless the situation says otherwise.\n",
    );
    for (name, column, spoil) in SITUATIONS {
        write!(out, "\n{name} (`{column}`)\n{:>12}{:>8}", "", "(none)").unwrap();
        for role_of_use in RoleOfUse::ALL {
            write!(out, "{:>11}", role_of_use.as_str()).unwrap();
        }
        out.push('\n');
        for role in [Role::Analyst, Role::Officer, Role::Auditor] {
            let ask = |question: Question| {
                let mut question = question;
                question.caller.role = role;
                spoil(&mut question);
                if question.ask().is_ok() { '✔' } else { '✘' }
            };
            write!(out, "{:>12}{:>8}", role.as_str(), ask(Question::new())).unwrap();
            for role_of_use in RoleOfUse::ALL {
                let question = Question::new().using(column, role_of_use, *column == "person_id");
                write!(out, "{:>11}", ask(question)).unwrap();
            }
            out.push('\n');
        }
    }
    golden("matrix.golden", &out);
}
