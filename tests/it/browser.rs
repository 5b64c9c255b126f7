//! What the page does in a real browser. Needs Chromium, Node and `npm ci --prefix tests/browser`; says so where one is
//! missing. `PGRETRO_PICTURES=docs/pictures` takes the pictures of the README.

use super::house::root;
use super::redact::{outputs, report_of};
use super::{hostile, render};
use pgretro::report::Report;
use std::path::{Path, PathBuf};
use std::process::Command;

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    named.into_iter().chain(usual).find(|path| path.exists())
}

fn page(folder: &Path, name: &str, report: &Report) {
    std::fs::write(folder.join(name), outputs(report).remove(0).1).expect("a page");
}

#[test]
fn a_reader_finds_everything_working() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium (set CHROMIUM)");
        return;
    };
    let scripts = root().join("tests/browser");
    let node = Command::new("node").arg("--version").output().is_ok_and(|o| o.status.success());
    if !node || !scripts.join("node_modules/playwright-core").exists() {
        eprintln!("skipped: no Node, or its packages are not installed (npm ci --prefix tests/browser)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let shop = [root().join("fixtures/shop/before"), root().join("fixtures/shop/after")];
    page(folder.path(), "shop.html", &report_of(&shop));
    page(folder.path(), "one.html", &report_of(&shop[1..]));
    page(folder.path(), "long.html", &render::long(400));
    page(folder.path(), "twice.html", &render::twice());
    std::fs::write(folder.path().join("hostile.html"), hostile::page()).expect("a page");
    let mut check = Command::new("node");
    check.arg(scripts.join("check.js")).arg(folder.path()).arg(browser);
    if let Some(pictures) = std::env::var_os("PGRETRO_PICTURES") {
        check.arg(root().join(pictures));
    }
    let output = check.output().expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
