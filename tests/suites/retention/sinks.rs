//! Several sinks: what goes is gone from each, and a row goes only when that is certain.

use std::fs;
use std::path::PathBuf;

use respaldo_tests::{Repository, Scene};

/// Three fulls, of which the first is too old, in two sinks of which the second is optional.
fn with_two_sinks() -> (Scene, Vec<Repository>, Vec<String>) {
    let mut scene = Scene::open();
    let places = ["first", "second"].map(|name| scene.respaldo.folder().join(name));
    for place in &places {
        fs::create_dir(place).unwrap();
    }
    let [first, second] = &places;
    scene.respaldo = scene.respaldo.config(&format!(
        "[[sink]]\nname = 'first'\nuse = 'local'\ndir = '{}'\n\
         [[sink]]\nname = 'second'\nuse = 'local'\ndir = '{}'\nrequired = false\n",
        first.display(),
        second.display()
    ));
    let made = (0..3).map(|_| scene.backup_name("full")).collect();
    let both = places.iter().map(|place| Repository::at(place)).collect();
    (scene, both, made)
}

fn rows(scene: &Scene) -> Vec<String> {
    scene.client().column(
        "SELECT archivo_nombre FROM seguridad.backup_manifest WHERE estado = 'COMPLETADO' ORDER BY id",
    )
}

fn purged(scene: &Scene) -> Vec<String> {
    let before = rows(scene);
    scene.respaldo.ok(&["catalog", "purge-invalid"]);
    let after = rows(scene);
    before
        .into_iter()
        .filter(|name| !after.contains(name))
        .collect()
}

#[test]
fn what_expires_is_gone_from_every_sink() {
    let (scene, both, made) = with_two_sinks();
    for repository in &both {
        assert_eq!(repository.sealed().len(), 3);
        repository.move_in_time(&made[0], "2020-01-01T00:00:00+00:00");
    }
    scene.respaldo.ok(&["expire"]);
    for repository in &both {
        let of_old = |name: &&String| name.contains(made[0].trim_end_matches(".backup"));
        let files = repository.files();
        assert_eq!(files.iter().find(of_old), None, "{files:?}");
        assert_eq!(repository.sealed().len(), 2);
    }
    assert_eq!(rows(&scene), made[1..]);
}

#[test]
fn a_row_is_purged_once_no_sink_has_its_archive_and_stays_while_one_may() {
    let (scene, both, made) = with_two_sinks();
    let archive = |repository: &Repository, name: &str| -> PathBuf {
        repository.path(&repository.object_key(name, "archivo"))
    };
    assert!(purged(&scene).is_empty());
    let (first, second) = (archive(&both[0], &made[0]), archive(&both[1], &made[0]));
    fs::remove_file(first).unwrap();
    assert!(purged(&scene).is_empty(), "the second sink has it");

    // The second sink cannot be listed: what it has is not known.
    fs::remove_file(second).unwrap();
    let (root, away) = (both[1].root(), both[1].root().with_extension("away"));
    fs::rename(root, &away).unwrap();
    fs::write(root, "no folder").unwrap();
    let refused = scene.respaldo.run(&["catalog", "purge-invalid", "--json"]);
    assert!(!refused.is_done(), "{refused:#?}");
    assert_eq!(rows(&scene).len(), 3);
    fs::remove_file(root).unwrap();
    fs::rename(&away, root).unwrap();

    assert_eq!(purged(&scene), [made[0].clone()]);
    // The manifest alone does not bring it back.
    scene.respaldo.run(&["list"]);
    assert_eq!(rows(&scene), made[1..]);
}
