//! The container image: what is in it, how it is run, and that the Dockerfile makes the same one.

use std::{fs, io::Read as _, process::Command};

use tests::{
    image::{Opened, archive},
    server::program,
};

use crate::architecture::root;

/// What one kind of instruction says in the last stage of the Dockerfile, or in all of it.
fn instructions(name: &str, text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn dockerfile() -> String {
    fs::read_to_string(root().join("deploy/Dockerfile")).unwrap()
}

fn last_stage() -> String {
    let text = dockerfile();
    text[text.rfind("\nFROM ").unwrap()..].to_owned()
}

/// The program runs in a root that holds nothing but the layer, as a user that nobody has.
#[test]
fn the_program_needs_nothing_but_its_layer() {
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(Opened::read(archive()).layer()).unpack(folder.path()).unwrap();
    // Whoever is not root becomes it in a namespace of his own, where there is one user and no other.
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = Command::new(if is_root { "chroot" } else { "unshare" });
    if is_root {
        command.arg("--userspec=65532:65532");
    } else {
        command.args(["--user", "--map-root-user", "chroot"]);
    }
    let ran = command.arg(folder.path()).args(["/hookward", "--version"]).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        format!("hookward {}\n", env!("CARGO_PKG_VERSION")),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn the_image_holds_the_program_and_its_bill_of_materials_and_no_shell() {
    let image = Opened::read(archive());
    assert_eq!(image.paths(), ["hookward", "hookward.cdx.json"]);
    let mut programs = tar::Archive::new(image.layer());
    let mut program = programs.entries().unwrap().next().unwrap().unwrap();
    let mut bytes = Vec::new();
    program.read_to_end(&mut bytes).unwrap();
    for folder in [root().display().to_string(), "/.cargo/".to_owned(), "/.rustup/".to_owned()] {
        let found = bytes.windows(folder.len()).any(|window| window == folder.as_bytes());
        assert!(!found, "the program names {folder}, a folder of the machine that built it");
    }
}

#[test]
fn the_image_is_smaller_than_30_megabytes_and_named_by_the_version() {
    let image = Opened::read(archive());
    assert!(fs::metadata(archive()).unwrap().len() < 30_000_000);
    let reference = format!("docker.io/library/hookward:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(image.json("manifest.json")[0]["RepoTags"][0], reference);
    let annotations = &image.json("index.json")["manifests"][0]["annotations"];
    assert_eq!(annotations["io.containerd.image.name"], reference);
}

#[test]
fn the_dockerfile_makes_the_same_image() {
    let config = Opened::read(archive()).config();
    let stage = last_stage();
    assert_eq!(instructions("USER", &stage), [config["User"].as_str().unwrap()]);
    assert_eq!(instructions("WORKDIR", &stage), [config["WorkingDir"].as_str().unwrap()]);
    assert_eq!(instructions("ENTRYPOINT", &stage), [config["Entrypoint"].to_string()]);
    let ports: Vec<_> = config["ExposedPorts"].as_object().unwrap().keys().map(|port| &port[..4]).collect();
    assert_eq!(instructions("EXPOSE", &stage), [ports.join(" ")]);
    let labels = config["Labels"].as_object().unwrap().iter();
    // A Dockerfile does not know the commit that it is used at.
    let labels: Vec<_> = labels.filter(|(name, _)| !name.ends_with(".revision")).collect();
    let written = instructions("LABEL", &stage).concat();
    for (name, value) in &labels {
        assert!(written.contains(&format!("{name}={value}")), "{name}={value} is not among {written}");
    }
    assert_eq!(written.matches("org.opencontainers.").count(), labels.len());
}

#[test]
fn the_dockerfile_starts_from_pinned_images_and_ends_with_nothing_but_the_program() {
    let bases = instructions("FROM", &dockerfile());
    let [build, last] = &bases[..] else { panic!("{bases:?}") };
    assert_eq!(last, "scratch");
    let tag = build.split(' ').next().unwrap().rsplit_once(':').expect("a tag").1;
    let version = tag.split('-').next().unwrap();
    assert_eq!(version.split('.').count(), 3, "{tag} is no pinned version");
    assert_eq!(instructions("COPY", &last_stage()), ["--from=build /src/target/release/hookward /hookward"]);
}

/// A folder with what the first stage of the Dockerfile copies, and nothing else.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = dockerfile();
    let build = &text[..text.rfind("\nFROM ").unwrap()];
    for line in instructions("COPY", build) {
        let words: Vec<_> = line.split(' ').collect();
        let (target, sources) = words.split_last().unwrap();
        for source in sources {
            let target =
                if *target == "./" { folder.path().to_path_buf() } else { folder.path().join(target) };
            fs::create_dir_all(&target).unwrap();
            let from = root().join(source);
            let from = if source.ends_with('/') { from.join(".") } else { from };
            assert!(Command::new("cp").arg("-R").args([&from, &target]).status().unwrap().success());
        }
    }
    folder
}

/// What the Dockerfile copies is enough for cargo to know every package.
#[test]
fn the_dockerfile_copies_the_whole_workspace() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let read = Command::new(cargo)
        .args(["metadata", "--offline", "--locked", "--no-deps", "--format-version=1"])
        .current_dir(copied().path())
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}

/// The compiler was asked to include a file that the Dockerfile does not copy, so that nobody could build the image with it.
#[test]
fn the_dockerfile_copies_every_file_that_the_compiler_reads() {
    let copied = copied();
    // Cargo writes it beside the program: what it was made of, as `make` would have it.
    let Ok(list) = fs::read_to_string(program().with_extension("d")) else {
        assert!(std::env::var_os("HOOKWARD_BIN").is_some(), "cargo did not say what the program is made of");
        eprintln!("left out: nobody says what the program in HOOKWARD_BIN is made of");
        return;
    };
    let root = root().canonicalize().unwrap();
    let read: Vec<_> = list
        .lines()
        .flat_map(|line| line.split_once(": ").unwrap().1.split(' '))
        .filter_map(|file| Some(fs::canonicalize(file).ok()?.strip_prefix(&root).ok()?.to_owned()))
        .collect();
    assert!(read.len() > 100 && read.iter().any(|file| file.ends_with("cli/src/main.rs")), "{read:?}");
    let missing: Vec<_> = read.iter().filter(|file| !copied.path().join(file).is_file()).collect();
    assert!(missing.is_empty(), "the Dockerfile does not copy {missing:?}");
}
