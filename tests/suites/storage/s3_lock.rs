//! S3 with object lock, on SeaweedFS.

use respaldo_engine::ports::{Context, FaultKind};
use respaldo_tests::stores::seaweedfs::SeaweedFs;
use serde_json::json;

use super::s3::sink_with;
use super::stores::{Generated, MB, TWO_PARTS, ensure_equal, fault_of, key, words};

#[test]
fn a_locked_object_cannot_be_deleted_and_the_fault_says_until_when() {
    let server = SeaweedFs::start();
    let locked = sink_with(
        server.port(),
        &json!({ "bucket": "locked", "object_lock_days": 3, "object_lock_mode": "COMPLIANCE" }),
    );
    let cx = Context::quiet();
    for (name, size_bytes) in [("full/small", MB), ("full/large", TWO_PARTS)] {
        let (key, source) = (key(name), Generated::new(size_bytes, 1));
        locked.put(&key, &mut source.clone(), &cx).unwrap();
        let fault = fault_of(locked.delete(&key, &cx), FaultKind::Denied);
        assert!(
            fault.subject.contains("locked until 20"),
            "{}",
            words(&fault)
        );
        ensure_equal(&*locked, &key, &source);
    }
}

#[test]
fn what_is_not_locked_any_more_is_deleted_for_good() {
    let server = SeaweedFs::start();
    // Put without a lock, as an object is whose days have passed.
    let options = json!({ "bucket": "locked" });
    let (cx, key) = (Context::quiet(), key("full/old"));
    let sink = sink_with(server.port(), &options);
    sink.put(&key, &mut Generated::new(10, 1), &cx).unwrap();
    let locked = sink_with(
        server.port(),
        &json!({ "bucket": "locked", "object_lock_days": 3, "object_lock_mode": "GOVERNANCE" }),
    );
    locked.delete(&key, &cx).unwrap();
    locked.delete(&key, &cx).unwrap();
    let versions = "v = s3.list_object_versions(Bucket='locked')
print(len(v.get('Versions', [])), len(v.get('DeleteMarkers', [])))";
    assert_eq!(server.boto(versions), "0 0");
}
