//! Transaction and multixact ids in `pgretro trend`.

use super::trend::{json, scans};
use std::fs;

/// Up to 13 multixact ids are refused much later than transaction ids.
#[test]
fn each_kind_of_ids_has_the_limits_of_its_version() {
    for (version, want) in [("13.4,130004", [2_146_483_647, 2_147_483_547]), ("16.4,160004", [2_144_483_647; 2])] {
        let folder = tempfile::tempdir().unwrap();
        for h in 0..6 {
            let name = format!("{h:02}");
            let meta = format!("{version},2026-03-01 {h:02}:00:00+00,shop,5,7,UTC,f,10.0.0.1,5432");
            scans(folder.path(), &name, &meta, None);
            let rows = format!("datid,datname,datfrozenxid_age,datminmxid_age\n5,shop,{},{}\n", 1_000 + h, 500 + h);
            fs::write(folder.path().join(name).join("database_sizes.csv"), rows).unwrap();
        }
        let all = json(folder.path(), &[]);
        let forecasts = all["histories"][0]["forecasts"].as_array().unwrap();
        let of = |kind: &str| {
            let refused = |f: &&serde_json::Value| f["kind"] == kind && f["milestone"] == "new ids are refused";
            forecasts.iter().find(refused).and_then(|f| f["limit"].as_i64()).unwrap()
        };
        assert_eq!([of("xid"), of("multixact")], want, "{version}");
    }
}
