//! Every word of the pages, in Chinese and in English. One table: a text without its translation does not compile.

use glovebox_engine::{CardKind, JobState};
use glovebox_policy::Role;

use super::language::Language;

macro_rules! texts {
    ($($name:ident: $chinese:literal, $english:literal;)*) => {
        /// The texts of one language.
        #[derive(Debug)]
        pub(crate) struct Texts {
            $(#[doc = $english] pub(crate) $name: &'static str,)*
        }

        /// In Chinese.
        pub(crate) const CHINESE: Texts = Texts { $($name: $chinese,)* };

        /// In English.
        pub(crate) const ENGLISH: Texts = Texts { $($name: $english,)* };

        /// Both sides of every line, for the tests.
        #[cfg(test)]
        const LINES: &[(&str, &str, &str)] = &[$((stringify!($name), $chinese, $english),)*];
    };
}

texts! {
    // Around every page.
    product: "数据手套箱", "Glovebox";
    motto: "原始数据不出域，数据可用不可见。", "Data is used and never seen: only approved, noised aggregates leave.";
    skip: "跳到正文", "Skip to the content";
    menu: "主菜单", "Main menu";
    home: "首页", "Home";
    datasets: "数据目录", "Catalogue";
    jobs: "作业", "Jobs";
    applications: "数据申请", "Applications";
    budget: "预算", "Budget";
    log: "审计日志", "Audit log";
    sign_out: "退出", "Sign out";
    utc_note: "时间均为 UTC。", "All times are UTC.";

    // Signing in.
    sign_in: "登录", "Sign in";
    sign_in_lead: "把您的访问令牌粘贴到这里。令牌由数据专员发放，以 gbx_ 开头；请像密码一样保管。", "Paste your access token here. A data officer gives it to you; it begins with gbx_. Keep it like a password.";
    token: "访问令牌", "Access token";
    token_wrong: "该令牌在此无效：可能已过期、被撤销或没有粘贴完整。请重试，或向数据专员索取新令牌。", "This token is not valid here: it may be past its time, revoked, or not pasted whole. Try again, or ask a data officer for a new one.";
    sign_in_note: "登录后 30 分钟不用、或满 12 小时，将自动退出；令牌被撤销时立即退出。", "You are signed out after 30 minutes without use, after 12 hours at the latest, and at once when the token is revoked.";

    // The first page.
    you: "您的身份", "Who you are";
    person: "账号", "Account";
    org: "单位", "Organisation";
    role: "角色", "Role";
    may_analyst: "您可以查看数据目录与合成样本，提出差分隐私查询，提交作业，并取回已发布的结果。", "You may look at the catalogue and its made-up samples, ask differentially private questions, submit jobs, and fetch what was released.";
    may_officer: "您可以登记数据集、签署合同、审阅并签署作业请求。您看不到任何加噪前的结果。", "You may bring datasets in, sign contracts, and read and sign job requests. You see no result before its noise.";
    may_auditor: "您可以阅读并离线验证审计日志。您不能更改任何内容。", "You may read the audit log and verify it offline. You can change nothing.";
    waiting: "待您处理", "What waits for you";
    waiting_none: "没有待您处理的事项。", "Nothing waits for you.";
    waiting_officer: "以下作业等待审核：", "These jobs wait for a verdict:";
    waiting_analyst: "贵单位以下作业尚未结束：", "These jobs of your organisation are not at their end:";
    waiting_applications: "以下数据使用申请等待答复：", "These applications for data wait for an answer:";
    where_to: "从这里开始", "Where to go";
    about_datasets: "有哪些数据集、各列含义、取值范围，以及虚构的样本", "which datasets there are, what their columns mean, and a made-up sample";
    about_applications: "数据使用申请：求什么、答复与草案合同", "what firms ask for, the answers, and draft contracts";
    about_jobs: "提交的代码、审核状态与发布的结果", "submitted code, where its review stands, released results";
    about_budget: "隐私预算：已花费、已承诺与剩余", "privacy budget: spent, promised and left";
    about_log: "每一次状态变化，防篡改，可离线验证", "every change of state, tamper-evident, verifiable offline";

    // The catalogue.
    datasets_lead: "本页内容全部出自数据专员声明的清单，不含任何来自数据行的信息。", "Everything here comes from the manifests that data officers declared; nothing comes from rows.";
    datasets_none: "还没有登记数据集。数据专员用 glovebox dataset add 登记。", "No dataset is registered yet. A data officer brings one in with `glovebox dataset add`.";
    name: "名称", "Name";
    title: "标题", "Title";
    classification: "分级", "Classification";
    declared_size: "声明的规模上限", "Declared size, at most";
    units: "个单位", "units";
    rows_each: "行/单位", "rows each";
    rows: "行", "rows";
    dataset_kind: "性质", "Kind";
    kind_units: "受保护", "protected";
    kind_public: "公开表", "public table";
    kind_public_note: "不含任何个体的信息，可与受保护数据集连接", "holds nothing about anybody; protected datasets can be joined with it";
    unique: "不重复的列", "Unique columns";
    facts: "概况", "Facts";
    unit: "隐私单位", "Privacy unit";
    unit_note: "一个单位的全部行一起受保护", "all rows of one unit are protected together";
    appearance: "视频中的一次出现", "an appearance in footage";
    appearance_note: "即同一人或车辆每次入镜至多 ρ、在整段时间内至多入镜 K 次；入镜更久或更频繁者，所受保护按比例减弱。", "Somebody in view for at most ρ at a time, at most K times over the whole horizon; whoever is in view longer or more often is protected less, in proportion.";
    camera: "摄像机", "Camera";
    frames_each_second: "帧/秒", "frames a second";
    horizon: "时段", "Horizon";
    chunks_of: "个片段，每段", "chunks of";
    seconds: "秒", "seconds";
    id_space: "标识空间", "Id-space";
    budget_domain: "预算域", "Budget domain";
    source: "来源", "Source";
    licence: "许可", "Licence";
    columns: "列", "Columns";
    column: "列名", "Column";
    kind: "类型", "Type";
    meaning: "含义", "Meaning";
    bounds: "上下界", "Bounds";
    bounds_basis: "依据", "basis";
    keys: "公开键表", "Public keys";
    key_values: "个取值", "values";
    usable: "用途", "Use";
    usable_unit: "隐私单位", "privacy unit";
    usable_identifier: "直接标识符，不可使用", "identifies directly; cannot be used";
    usable_group: "可分组", "to group by";
    usable_threshold: "可分组：只显示单位数足够的键", "to group by: keys of enough units appear";
    usable_sum: "可求和", "to sum";
    sample: "合成样本（虚构数据）", "Synthetic sample (made up)";
    sample_note: "以下各行由清单随机生成，与任何真实个体无关；除清单外不含任何信息，请勿据此得出结论。", "These rows were drawn at random from the manifest. They are about nobody, and say nothing that the manifest does not; conclude nothing from them.";
    sample_more: "更多样本行", "More such rows";

    // Jobs.
    jobs_lead_all: "所有单位提交的作业，最新的在前。", "The jobs of all organisations, newest first.";
    jobs_lead_own: "贵单位提交的作业，最新的在前。", "The jobs of your organisation, newest first.";
    jobs_none: "还没有作业。分析方用以下命令提交：", "There is no job yet. An analyst submits one with:";
    state: "状态", "State";
    submitted: "提交时间", "Submitted";
    submitted_by: "提交人", "Submitted by";
    review_until: "审核截止", "Review until";
    execute_by: "运行截止", "To be run until";
    executions: "批准的执行次数", "Executions approved";
    contract: "合同", "Contract";
    cost_each: "每次执行的代价", "Cost of an execution";
    takes: "运行用时（公开数值，至少）", "A run takes at least (a public figure)";
    manifest: "清单 SHA-256", "Manifest, SHA-256";
    module: "模块 SHA-256", "Module, SHA-256";
    older: "更早", "Older";
    newer: "更新", "Newer";
    verdicts: "审核意见", "Verdicts";
    verdicts_none: "尚无可供您查看的审核意见。", "There is no verdict that you may see yet.";
    officer: "专员", "Officer";
    decision: "决定", "Decision";
    approve: "批准", "approve";
    reject: "驳回", "reject";
    reason: "理由", "Reason";
    envelope: "信封 SHA-256", "Envelope, SHA-256";
    result: "发布的结果", "The released result";
    result_note: "下列数值均已加噪；区间为噪声的 95% 区间，不是对总体的推断。", "Noise was added to every number. The intervals hold the noise in 95 of 100 draws; they say nothing of sampling.";
    value: "数值", "Value";
    interval: "噪声 95% 区间", "95 % interval of the noise";
    plot: "图示", "Plot";
    key: "键", "Key";
    request: "请求", "Request";
    result_not_yours: "结果只给提交单位；专员与审计员可以核对其证书。", "The result is for the firm that asked. Officers and auditors may check its certificate.";
    proof: "证明", "What proves it";
    proof_lead: "任何人都可以用这四个文件和日志公钥离线验证：", "With these four files and the log's key anybody verifies it offline:";
    proof_result: "结果", "result";
    proof_certificate: "证书", "certificate";
    proof_entry: "日志条目", "log entry";
    proof_inclusion: "包含证明", "proof of inclusion";
    page: "专员审阅页", "The page that an officer reads";
    page_lead: "批准即签署本页、清单、模块与合同的摘要。", "An approval signs the digests of this page, the manifest, the module and the contract.";
    page_open: "展开阅读", "Read it here";
    page_digest: "本页 SHA-256", "This page, SHA-256";
    contract_digest: "合同 SHA-256", "Contract, SHA-256";
    decide: "批准或驳回", "To approve or reject";
    decide_lead: "签名在您的机器上用您的密钥文件完成，密钥不离开您的机器。以下命令仅在您读到的仍是这一页时才会签署：", "You sign on your own machine, where your key is. These commands sign only if the page is still the one that you have read:";

    // Applications.
    application: "申请", "Application";
    applications_lead_all: "所有单位的数据使用申请，最新的在前。", "Applications for data of all organisations, newest first.";
    applications_lead_own: "贵单位的数据使用申请，最新的在前。", "The applications for data of your organisation, newest first.";
    applications_none: "还没有申请。", "There is no application yet.";
    apply: "申请使用数据", "Apply for data";
    apply_choose: "请选择要申请的数据集。", "Choose the dataset to apply for.";
    apply_lead: "请修改以下文本：写明事由，删去不需要的列，降低用不到的数值。其格式与合同相同（TOML）。", "Edit the text: say why, delete the columns that you do not need, lower what you will not use. It is written as a contract is (TOML).";
    apply_text: "申请文本", "The text of the application";
    apply_send: "提交申请", "Hand it in";
    apply_note: "申请不授予任何权限：由专员据此起草合同，修改后签署，或予以拒绝。", "An application grants nothing: an officer drafts a contract from it, changes what is too much and signs, or says no.";
    form_needs_session: "请先用令牌登录，再使用此表单。", "Sign in with a token first to use this form.";
    ended_by: "办结人", "Ended by";
    why: "申请事由", "Why";
    unreadable: "该文本的格式已无法读取；原文见下。", "The text is of a form that is not read any more; it stands below as it is.";
    withdraw: "撤回申请", "Withdraw it";
    draft: "合同草案", "Draft contract";
    draft_lead: "签署下面的合同即批准该申请。草案中各项数值均为申请方所求；签署前可下载修改。", "Signing a contract such as this one grants the application. Every figure is what the firm asked for; fetch the text and change it before you sign.";
    draft_name: "合同名称", "Name of the contract";
    draft_rename: "以此名称起草", "Draft under this name";
    draft_sign: "签名在您的机器上用您的密钥文件完成，密钥不离开您的机器：", "You sign on your own machine, where your key is:";
    say_no: "拒绝申请", "Say no";
    say_no_why: "理由（申请单位可见）", "Why (the firm reads it)";

    // Budget.
    budget_lead: "每个已发布的答案都先付费，且不退还。ρ 为零集中差分隐私 (zCDP) 的损失，各次相加。", "Every answer was paid for before a row was read, and is never refunded. ρ is the loss in zero-concentrated differential privacy (zCDP); losses add up.";
    domains: "预算域：全部分析方共用，终身上限", "Budget domains: shared by all analysts, with a lifetime cap";
    contracts: "合同：从预算域预留的额度", "Contracts: reserved out of a domain";
    contracts_none: "还没有合同。数据专员用 glovebox contract add 签署。", "There is no contract yet. A data officer signs one with `glovebox contract add`.";
    domains_hidden: "预算域的总账只给专员与审计员：它会透露其他单位问了多少。", "The domains' totals are for officers and auditors: they would tell how much others asked.";
    spent: "已花费", "spent";
    promised: "已承诺给合同", "promised to contracts";
    left: "剩余", "left";
    cap: "上限", "cap";
    promise: "对外承诺", "Published promise";
    at_delta: "当 δ =", "at δ =";
    amounts: "数额", "Amounts";
    share: "占比", "Share";
    dataset: "数据集", "Dataset";
    term: "有效期", "In force";
    per_day: "每日上限", "A day, at most";
    purposes: "用途", "Purposes";
    per_query: "单次上限", "A query, at most";

    // The log.
    log_lead: "每次状态变化都在同一事务中追加一条。条目含随机数，不含数据行，也不含加噪前的结果。", "Every change of state appends its entry in the same transaction. Entries hold a nonce, and neither rows nor results before noise.";
    log_none: "日志为空。", "The log is empty.";
    entries: "日志条目，最新的在前", "Entries, newest first";
    number: "序号", "No.";
    time: "时间", "Time";
    what: "事件", "Event";
    who: "由谁", "By whom";
    about: "关于", "About";
    whole: "完整条目", "The whole entry";
    of_entries: "条", "entries";
    checkpoint: "已签名的检查点", "Signed checkpoint";
    checkpoint_note: "检查点覆盖以上全部条目。请与您手中较早的检查点比对：日志只能增长。", "The checkpoint covers all entries. Hold it against an earlier one that you kept: a log may only grow.";
    verify: "离线验证", "To verify offline";
    verify_note: "验证用的公钥请取自数据局公布之处，而不是本服务器：", "Take the key from where the bureau publishes it, not from this server:";
    rollback_note: "尚无外部见证：仅凭本服务器，无法发现整个日志被换回旧副本。", "There is no outside witness yet: from this server alone nobody notices when the whole log is put back to an older copy.";

    // When something is wrong.
    problem: "无法显示", "This cannot be shown";
    not_found: "没有这一页", "There is no such page";
    not_found_note: "该地址没有内容，或您无权查看。请从目录或列表进入。", "There is nothing at this address, or nothing that you may see. Go on from the catalogue or a list.";
    back: "回到首页", "Back to the first page";
}

impl Texts {
    /// A role.
    pub(crate) const fn role_of(&self, language: Language, role: Role) -> &'static str {
        match (language, role) {
            (Language::Chinese, Role::Analyst) => "分析方",
            (Language::Chinese, Role::Officer) => "数据专员",
            (Language::Chinese, Role::Auditor) => "审计员",
            (Language::English, Role::Analyst) => "analyst",
            (Language::English, Role::Officer) => "data officer",
            (Language::English, Role::Auditor) => "auditor",
        }
    }
}

/// A state of a job, and what happens next.
pub(crate) const fn state(state: JobState) -> [(&'static str, &'static str); 2] {
    match state {
        JobState::Submitted => {
            [("待审核", "等待数据专员审阅并签署。"), ("waits for review", "A data officer has to read and sign it.")]
        }
        JobState::Approved => {
            [("已批准", "提交单位可在运行截止前运行它。"), ("approved", "The firm may run it until its time is over.")]
        }
        JobState::Rejected => [
            ("已驳回", "不会运行；可修改后重新提交。"),
            ("rejected", "It will not run. The firm may change it and submit it again."),
        ],
        JobState::Cancelled => [("已撤回", "提交单位已撤回。"), ("called back", "The firm called it back.")],
        JobState::Expired => [
            ("已过期", "审核或运行的期限已过；可重新提交。"),
            ("expired", "The time for review or for running is over. It may be submitted again."),
        ],
        JobState::Running => [
            ("运行中", "结果在预先定好的时刻发布，与实际用时无关。请在该时刻之后刷新本页。"),
            (
                "running",
                "The result leaves at an instant that was fixed before, however long the work takes. Reload then.",
            ),
        ],
        JobState::Interrupted => [
            ("已中断", "代价已付；再次运行即在同一笔代价下继续。"),
            ("interrupted", "It is paid for; running it again goes on under the same charge."),
        ],
        JobState::Released => [("已发布", "结果与证书如下。"), ("released", "Result and certificate are below.")],
        JobState::Lost => [
            ("已丢失", "未能完成；代价不退，已通知运维人员。"),
            ("lost", "It could not be finished and stays charged. The operator has been told."),
        ],
    }
}

/// A state of an application, and what happens next.
pub(crate) fn application(status: &str) -> Option<[(&'static str, &'static str); 2]> {
    Some(match status {
        "waiting" => [("待答复", "等待数据专员答复。"), ("waits for an answer", "A data officer has to answer it.")],
        "granted" => [("已批准", "已由一份合同授予。"), ("granted", "A contract grants it.")],
        "rejected" => [
            ("已拒绝", "专员已拒绝；可修改后重新申请。"),
            ("rejected", "An officer said no. The firm may change it and apply again."),
        ],
        "withdrawn" => [("已撤回", "申请单位已撤回。"), ("withdrawn", "The firm took it back.")],
        _ => return None,
    })
}

/// A kind of column.
pub(crate) const fn kind(kind: CardKind) -> [&'static str; 2] {
    match kind {
        CardKind::Int => ["整数", "whole number"],
        CardKind::Float => ["小数", "number"],
        CardKind::Text => ["文本", "text"],
        CardKind::Bool => ["真假", "true or false"],
        CardKind::Date => ["日期", "date"],
        CardKind::Timestamp => ["时间戳", "instant"],
        CardKind::Bytes => ["像素", "pixels"],
    }
}

/// A kind of log entry; one that is not on the list is shown as it is.
pub(crate) fn entry(kind: &str) -> Option<[&'static str; 2]> {
    Some(match kind {
        "person" => ["新账号", "new account"],
        "token" => ["发放令牌", "token issued"],
        "token-revoked" => ["撤销令牌", "token revoked"],
        "officer-key" => ["登记专员公钥", "officer's key registered"],
        "client-certificate" => ["登记客户端证书", "client certificate registered"],
        "client-certificate-revoked" => ["撤销客户端证书", "client certificate revoked"],
        "domain" => ["新预算域", "new budget domain"],
        "dataset" => ["登记数据集", "dataset registered"],
        "contract" => ["签署合同", "contract signed"],
        "application" => ["数据使用申请", "application for data"],
        "application-end" => ["申请办结", "application ended"],
        "charge" => ["扣费", "charge"],
        "resume" => ["续跑", "resumed"],
        "reuse" | "join" | "serve" => ["取用已有发布", "stored release collected"],
        "release" => ["发布", "release"],
        "certificate" => ["证书", "certificate"],
        "lost" => ["丢失", "lost"],
        "job" => ["提交作业", "job submitted"],
        "verdict" => ["审核意见", "verdict"],
        "job-cancelled" => ["撤回作业", "job called back"],
        "job-run" => ["运行作业", "job run"],
        _ => return None,
    })
}

/// What a log entry may be about, by its key.
pub(crate) fn about(key: &str) -> Option<[&'static str; 2]> {
    Some(match key {
        "application" => ["申请", "application"],
        "job" => ["作业", "job"],
        "decision" => ["决定", "decision"],
        "contract" => ["合同", "contract"],
        "dataset" => ["数据集", "dataset"],
        "domain" => ["预算域", "budget domain"],
        "org" => ["单位", "organisation"],
        "role" => ["角色", "role"],
        "request" => ["请求", "request"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_its_language() {
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for (name, chinese, english) in LINES {
            assert!(han(chinese), "{name} is not Chinese: {chinese}");
            assert!(!han(english) && !english.trim().is_empty(), "{name} is not English: {english}");
        }
    }
}
