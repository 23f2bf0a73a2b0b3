//! `dataset`: drafts, new datasets, cards and synthetic twins.

use std::path::Path;

use anyhow::Context as _;

use crate::args::Dataset as Action;
use crate::cards::{Answer, Column, Dataset, Datasets, Draft, Footage};
use crate::failure::Failure;
use crate::grid::{Grid, short};
use crate::output::{Lang, Page, View, print, progress, say};
use crate::rest::Rest;
use crate::{private_file, sql};

/// Key lists longer than this are cut for reading.
const KEYS_SHOWN: usize = 12;

/// Carries out one action.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    match action {
        Action::Draft { file, out, at } => draft(&Rest::to(&at)?, &file, out.as_deref(), view),
        Action::Add { manifest, file, at } => {
            let text = std::fs::read_to_string(&manifest);
            let text = text.with_context(|| format!("`{}` cannot be read", manifest.display()))?;
            progress(&format!("sending `{}` …", file.display()));
            let reply = Rest::to(&at)?.upload("/datasets", Some(&text), &file)?;
            Ok(view.show(&card(&reply.read()?, view), &reply.text)?)
        }
        Action::List { at } => {
            let reply = Rest::to(&at)?.get("/datasets")?;
            let list: Datasets = reply.read()?;
            Ok(view.show(&Page::of(listing(&list, view)), &reply.text)?)
        }
        Action::Show { name, at } => {
            let reply = Rest::to(&at)?.get(&format!("/datasets/{name}"))?;
            Ok(view.show(&card(&reply.read()?, view), &reply.text)?)
        }
        Action::Twin { name, rows, seed, at } => {
            let reply = Rest::to(&at)?.get(&format!("/datasets/{name}/twin?rows={rows}&seed={seed}"))?;
            let twin: Answer = reply.read()?;
            Ok(view.show(&Page::of(sql::grid(&twin)), &reply.text)?)
        }
    }
}

fn draft(rest: &Rest, file: &Path, out: Option<&Path>, view: &View) -> Result<(), Failure> {
    progress(&format!("sending `{}` …", file.display()));
    let reply = rest.upload("/datasets/draft", None, file)?;
    let draft: Draft = reply.read()?;
    match out {
        Some(path) => {
            private_file::write_new_public(path, &draft.manifest)?;
            let page = Page::default()
                .fact(view.words("manifest", "清单"), path.display())
                .remark(view.words("Edit it before you add the dataset.", "请先修改，再添加数据集。"));
            Ok(view.show(&page, &serde_json::json!({ "file": path }).to_string())?)
        }
        None if view.is_json() => Ok(say(&reply.text)?),
        None => Ok(print(&draft.manifest)?),
    }
}

fn title<'a>(dataset: &'a Dataset, view: &View) -> &'a str {
    match view.lang {
        Lang::En => &dataset.title_en,
        Lang::Zh => &dataset.title_zh,
    }
}

fn listing(list: &Datasets, view: &View) -> Grid {
    let head = [
        view.words("dataset", "数据集"),
        view.words("title", "标题"),
        view.words("kind", "性质"),
        view.words("columns", "列数"),
        view.words("max units (rows, if public)", "单位上限（公开表为行数）"),
        view.words("budget domain", "预算域"),
        view.words("classification", "分级"),
    ];
    Grid::new(head).rows(list.datasets.iter().map(|dataset| {
        vec![
            dataset.name.as_str().into(),
            title(dataset, view).into(),
            dataset.kind.as_str().into(),
            (dataset.columns.len() as u64).into(),
            dataset.max_units.or(dataset.max_rows).into(),
            dataset.budget_domain.clone().into(),
            dataset.classification.as_str().into(),
        ]
    }))
}

/// The declared size, and the privacy unit.
fn size_and_unit(dataset: &Dataset, view: &View) -> (String, String) {
    let Some(footage) = &dataset.footage else {
        let size = match (dataset.max_units, dataset.max_rows_per_unit, dataset.max_rows, view.lang) {
            (Some(units), Some(rows), _, Lang::En) => format!("at most {units} units with {rows} rows each"),
            (Some(units), Some(rows), _, Lang::Zh) => format!("至多 {units} 个单位，每单位至多 {rows} 行"),
            (_, _, rows, Lang::En) => format!("at most {} rows", rows.unwrap_or(0)),
            (_, _, rows, Lang::Zh) => format!("至多 {} 行", rows.unwrap_or(0)),
        };
        return (size, dataset.unit.join(", "));
    };
    let Footage { camera, width, height, frames_per_second, chunk_s, chunks, appearance } = footage;
    let (longest, segments) = (appearance.longest_s, appearance.segments);
    match view.lang {
        Lang::En => (
            format!("{chunks} chunks of {chunk_s} s; {camera}, {width}×{height}, {frames_per_second} frames a second"),
            format!("an appearance: in view at most {longest} s at a time (ρ), at most {segments} times (K)"),
        ),
        Lang::Zh => (
            format!("{chunks} 个片段，每段 {chunk_s} 秒；{camera}，{width}×{height}，每秒 {frames_per_second} 帧"),
            format!("一次出现：每次入镜至多 {longest} 秒（ρ），至多 {segments} 次（K）"),
        ),
    }
}

fn card(dataset: &Dataset, view: &View) -> Page {
    let (size, unit) = size_and_unit(dataset, view);
    let head = [
        view.words("column", "列"),
        view.words("kind", "类型"),
        view.words("bounds", "上下界"),
        view.words("public keys", "公开键"),
        view.words("meaning", "含义"),
    ];
    let grid = Grid::new(head).rows(dataset.columns.iter().map(|column| {
        let meaning = match view.lang {
            Lang::En => &column.meaning_en,
            Lang::Zh => &column.meaning_zh,
        };
        let bounds = column.bounds.as_ref().map(|it| format!("{} … {}", short(it.lower), short(it.upper)));
        let days = || column.days.as_ref().map(|it| format!("{} … {}", it.first, it.last));
        let bounds = bounds.or_else(days);
        vec![
            column.name.as_str().into(),
            kind(column, view).into(),
            bounds.into(),
            column.keys.as_deref().map(keys).or_else(|| thresholded(column, view)).into(),
            meaning.as_str().into(),
        ]
    }));
    let page = Page::of(grid)
        .fact(view.words("dataset", "数据集"), &dataset.name)
        .fact(view.words("title", "标题"), title(dataset, view))
        .fact(view.words("kind", "性质"), &dataset.kind);
    let page = match (&dataset.id_space, &dataset.budget_domain) {
        (Some(space), Some(domain)) => page
            .fact(view.words("privacy unit", "隐私单位"), unit)
            .fact(view.words("id space", "标识空间"), space)
            .fact(view.words("budget domain", "预算域"), domain),
        _ => page.fact(
            view.words("can be joined on", "可连接的列"),
            dataset.unique.iter().map(|set| set.join(" + ")).collect::<Vec<_>>().join("; "),
        ),
    };
    page.fact(view.words("declared size", "声明规模"), size)
        .fact(view.words("source", "来源"), &dataset.source)
        .fact(view.words("licence", "许可"), &dataset.licence)
        .fact(view.words("classification", "分级"), &dataset.classification)
}

fn kind(column: &Column, view: &View) -> String {
    if column.identifier {
        let identifier = view.words("identifier, not usable", "直接标识符，不可用");
        return format!("{} ({identifier})", column.kind);
    }
    column.kind.clone()
}

/// What stands for the keys of a column whose keys are found in rows.
fn thresholded(column: &Column, view: &View) -> Option<String> {
    column.thresholded.as_ref()?;
    Some(view.words("those of enough units", "单位数足够者").to_owned())
}

fn keys(keys: &[serde_json::Value]) -> String {
    let text = |key: &serde_json::Value| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    let mut shown: Vec<String> = keys.iter().take(KEYS_SHOWN).map(text).collect();
    if keys.len() > KEYS_SHOWN {
        shown.push(format!("… ({})", keys.len()));
    }
    shown.join(" ")
}
