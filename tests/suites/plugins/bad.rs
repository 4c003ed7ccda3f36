//! A bad plugin takes no backup down but its own, and is named.

use respaldo_tests::plugins::{c_broken, c_faulty, c_folder};

use super::scene::Scene;

fn configure(scene: &Scene, fault: &str, at: &str) {
    let options = format!(
        "{{ dir = \"{}\", fault = {fault:?}, at = {at:?}, after = 0 }}",
        scene.store().display()
    );
    let plugin = scene.pinned("malo", &c_faulty(), &options);
    let limits = "stall_timeout = \"3s\"\ncancel_grace = \"1s\"\n";
    scene.configure(&format!(
        "[[sink]]\nname = \"nube\"\nuse = \"malo\"\n\n{plugin}{limits}"
    ));
}

#[test]
fn a_run_that_a_plugin_breaks_leaves_nothing_half_and_the_next_one_works() {
    let scene = Scene::open();
    for (fault, reason) in [
        ("segfault", "SIGSEGV"),
        ("exit", "ended with code 3"),
        ("hang", "no sign of life"),
        ("garbage", "not UTF-8"),
        ("ok-early", "said done"),
        ("close-fds", "its process"),
    ] {
        configure(&scene, fault, "put");
        let run = scene.respaldo.run(&["backup", "full"]);
        assert!(!run.is_done(), "{fault}: {run:#?}");
        assert_eq!(run.signal, None, "{fault}: {run:#?}");
        assert!(run.stderr.contains("malo"), "{fault}: {run:#?}");
        assert!(run.stderr.contains(reason), "{fault}: {run:#?}");
        let listed = scene.respaldo.run(&["list", "--json"]).json();
        let whole = listed.as_array().unwrap().iter();
        let whole = whole.filter(|backup| backup["estado"] == "COMPLETADO");
        assert_eq!(whole.count(), 0, "{fault}: {listed:#}");
    }
    configure(&scene, "slow", "head");
    scene.backup("full");
    scene
        .respaldo
        .ok(&["validate", "--all", "--level", "chain"]);
}

#[test]
fn a_plugin_that_cannot_be_used_is_told_before_anything_is_done() {
    let scene = Scene::open();
    let cases = [
        (c_broken("too_new"), "a newer respaldo is needed"),
        (c_broken("undefined_symbol"), "undefined symbol"),
        (c_broken("ctor_segfault"), "SIGSEGV"),
    ];
    for (library, reason) in cases {
        let path = scene.install(&library);
        let sum = std::process::Command::new("sha256sum").arg(&path).output();
        let sum = String::from_utf8(sum.unwrap().stdout).unwrap();
        scene.configure(&format!(
            "[[sink]]\nname = \"nube\"\nuse = \"malo\"\n[plugins.malo]\npath = \"{}\"\nsha256 = \"{}\"\n",
            path.display(),
            &sum[..64]
        ));
        let run = scene.respaldo.run(&["backup", "full"]);
        run.expect_code(10);
        assert!(run.stderr.contains("malo"), "{run:#?}");
        assert!(run.stderr.contains(reason), "{run:#?}");
    }
}

#[test]
fn a_file_that_is_not_the_one_that_was_allowed_is_refused() {
    let scene = Scene::open();
    let options = format!("{{ dir = \"{}\" }}", scene.store().display());
    let plugin = scene.pinned("fuera", &c_folder(), &options);
    let config = format!("[[sink]]\nname = \"nube\"\nuse = \"fuera\"\n\n{plugin}");
    scene.configure(&config);
    scene.backup("full");
    let library = scene.respaldo.folder().join("c_folder.so");
    let mut bytes = std::fs::read(&library).unwrap();
    bytes.push(0);
    std::fs::write(&library, bytes).unwrap();
    let run = scene.respaldo.run(&["backup", "inc"]);
    run.expect_code(10);
    assert!(run.stderr.contains("SHA-256"), "{run:#?}");
    // Allowed anew, it goes on.
    let pinned = scene
        .respaldo
        .ok(&["plugin", "pin", library.to_str().unwrap(), "--json"]);
    let allowed = pinned.json()["sha256"].to_string();
    let before = config.split("sha256 = ").nth(1).unwrap().lines().next();
    scene.configure(&config.replace(before.unwrap(), &allowed));
    scene.backup("inc");
}

#[test]
fn the_name_of_a_strategy_that_comes_along_is_taken() {
    let scene = Scene::open();
    let plugin = scene.pinned("local", &c_folder(), "{ dir = \"/nowhere\" }");
    scene.configure(&plugin);
    let run = scene.respaldo.run(&["backup", "full"]);
    run.expect_code(10);
    assert!(run.stderr.contains("plugins.local"), "{run:#?}");
}
