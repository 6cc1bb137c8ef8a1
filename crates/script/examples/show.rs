//! Compiles a file and shows what came out.
#[path = "../tests/common/mod.rs"]
mod common;
use topomotion_script::*;
fn main() {
    for path in std::env::args().skip(1) {
        #[allow(clippy::disallowed_methods)]
        let bytes = std::fs::read(&path).expect("a file");
        let folder = path.rsplit_once('/').map_or(".".to_owned(), |(f, _)| f.to_owned());
        struct Disk(String);
        impl Files for Disk {
            fn read(&self, p: &str) -> Result<Vec<u8>, FileError> {
                #[allow(clippy::disallowed_methods)]
                std::fs::read(format!("{}/{p}", self.0)).map_err(|_| FileError::NotFound)
            }
        }
        let c = compile(
            &Source::new(path.rsplit('/').next().unwrap_or(""), bytes),
            &Disk(folder),
            &Options::default(),
        );
        println!("== {path} topology: {}", c.topology.is_some());
        println!("{}", common::render(&c));
        for l in &c.console {
            println!(
                "console {:?} {:?} {:?}",
                l.level,
                l.text,
                l.span.and_then(|s| c.sources.location(s))
            );
        }
    }
}
