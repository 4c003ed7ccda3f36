//! Unfinished uploads of S3: which a sweep ends, and which it leaves alone.

use respaldo_engine::ports::{Context, FaultKind};
use respaldo_tests::stores::moto::Moto;
use respaldo_tests::stores::seaweedfs::SeaweedFs;
use respaldo_tests::stores::tap::Tap;

use super::s3::sink;
use super::stores::{Acting, Generated, TWO_PARTS, fault_of, key};

const BEGIN: &str = "
for key in ['of/bank/full/x', 'of/bank/full/y', 'of/bankrupt/x', 'other', 'of/bank/a b']:
    s3.create_multipart_upload(Bucket='backups', Key=key)
";
const LEFT: &str = "
uploads = s3.list_multipart_uploads(Bucket='backups').get('Uploads', [])
print(' '.join(sorted(u['Key'].replace(' ', '_') for u in uploads)))
";

#[test]
fn old_uploads_below_our_prefix_are_ended_and_others_are_not() {
    // This server says that every upload began in 2010.
    let server = Moto::start();
    server.boto(BEGIN);
    assert_eq!(sink(server.port()).sweep(&Context::quiet()).unwrap(), 2);
    assert_eq!(server.boto(LEFT), "of/bank/a_b of/bankrupt/x other");
    assert_eq!(sink(server.port()).sweep(&Context::quiet()).unwrap(), 0);
}

#[test]
fn a_running_put_of_this_process_is_left_alone_however_old_it_seems() {
    let server = Moto::start();
    let sinks = (sink(server.port()), sink(server.port()));
    let source = Generated::new(3 * TWO_PARTS, 1);
    let mut acting = Acting {
        source: source.clone(),
        at: 2 * TWO_PARTS,
        act: Some(Box::new(|| {
            assert_eq!(sinks.1.sweep(&Context::quiet()).unwrap(), 0);
        })),
    };
    let put = sinks.0.put(&key("full/x"), &mut acting, &Context::quiet());
    assert_eq!(put.unwrap().size_bytes, 3 * TWO_PARTS);
}

#[test]
fn young_uploads_are_left_alone_but_for_those_given_up_here() {
    let server = SeaweedFs::start();
    server.boto("s3.create_multipart_upload(Bucket='backups', Key='of/bank/full/of-another')");
    let tap = Tap::before(server.port());
    let through = sink(tap.port());
    let mut source = Acting {
        source: Generated::new(3 * TWO_PARTS, 1),
        at: 2 * TWO_PARTS,
        act: Some(Box::new(|| tap.break_off())),
    };
    let put = through.put(&key("full/ours"), &mut source, &Context::quiet());
    fault_of(put, FaultKind::Unavailable);
    assert_eq!(
        server.boto(LEFT),
        "of/bank/full/of-another of/bank/full/ours"
    );
    tap.mend();
    assert_eq!(through.sweep(&Context::quiet()).unwrap(), 1);
    assert_eq!(server.boto(LEFT), "of/bank/full/of-another");
}
