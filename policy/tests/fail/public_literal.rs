//! `Public` is made by naming one of the three lawful sources.

use glovebox_policy::Public;

fn launder(secret: String) -> Public<String> {
    Public(secret)
}

fn launder_by_conversion(secret: String) -> Public<String> {
    secret.into()
}

fn rewrite(text: Public<String>) -> String {
    text.0
}

fn main() {}
