//! What a disk in memory does to files, one story each.

use super::*;

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn append(disk: &mut MemoryDisk, file: &str, text: &str) -> Result<Applied, DiskError> {
    disk.apply(DiskOp::Append { file: file.into(), bytes: bytes(text) })
}

fn replace(disk: &mut MemoryDisk, file: &str, text: &str) -> Result<Applied, DiskError> {
    disk.apply(DiskOp::Replace { file: file.into(), bytes: bytes(text) })
}

fn truncate(disk: &mut MemoryDisk, file: &str, len: u64) {
    disk.apply(DiskOp::Truncate { file: file.into(), len }).expect("works");
}

fn begin_flush(disk: &mut MemoryDisk, file: &str) -> FlushId {
    let token = FlushToken(7);
    match disk.apply(DiskOp::Flush { file: file.into(), token }) {
        Ok(Applied::Flushing { flush, token: FlushToken(7) }) => flush,
        other => panic!("{other:?}"),
    }
}

fn flush(disk: &mut MemoryDisk, file: &str) {
    let flush = begin_flush(disk, file);
    disk.complete(flush);
}

/// Everything that a file is now and then after a power loss, as text; `-` if it is gone.
/// Garbage is hardly ever the same twice.
fn outcomes(disk: &MemoryDisk, file: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..400 {
        let mut lost = disk.clone();
        lost.lose_power(&mut Random::new(seed, 1));
        assert!(lost.written().all(|(_, written)| !written.dirty));
        let files = lost.files();
        let content = files.get(file).map(|it| String::from_utf8_lossy(it).into_owned());
        *seen.entry(content.unwrap_or_else(|| "-".to_owned())).or_default() += 1;
    }
    let often = seen.into_iter().filter(|(_, times)| *times > 8);
    often
        .map(|(content, _)| content)
        .filter(|it| it.bytes().all(|byte| byte > 0 && byte < 128))
        .collect()
}

#[test]
fn operations_apply_in_order_and_a_missing_file_is_no_mistake() {
    let mut disk = MemoryDisk::default();
    append(&mut disk, "a", "hello").expect("works");
    append(&mut disk, "a", " world").expect("works");
    truncate(&mut disk, "a", 7);
    truncate(&mut disk, "none", 7);
    replace(&mut disk, "b", "x").expect("works");
    disk.apply(DiskOp::Delete { file: "b".into() }).expect("works");
    let files = disk.files();
    assert_eq!(files.len(), 1);
    assert_eq!(&files["a"][..], b"hello w");
    assert_eq!(disk.used(), 7);
}

#[test]
fn power_takes_any_part_of_what_was_not_flushed_and_nothing_else() {
    let mut disk = MemoryDisk::default();
    append(&mut disk, "a", "ab").expect("works");
    flush(&mut disk, "a");
    assert_eq!(outcomes(&disk, "a"), ["ab"]);
    append(&mut disk, "a", "cd").expect("works");
    assert_eq!(outcomes(&disk, "a"), ["ab", "abc", "abcd"]);
    let late = begin_flush(&mut disk, "a");
    append(&mut disk, "a", "e").expect("works");
    assert_eq!(outcomes(&disk, "a")[0], "ab", "a flush under way promises nothing");
    disk.complete(late);
    assert_eq!(outcomes(&disk, "a"), ["abcd", "abcde"]);
}

#[test]
fn a_torn_tail_may_be_zeros_or_garbage() {
    let mut disk = MemoryDisk::default();
    append(&mut disk, "a", "ab").expect("works");
    flush(&mut disk, "a");
    append(&mut disk, "a", &"c".repeat(50)).expect("works");
    let torn = |seed| {
        let mut lost = disk.clone();
        lost.lose_power(&mut Random::new(seed, 1));
        let content = lost.files()["a"].clone();
        assert!(content.starts_with(b"ab") && content.len() <= 52);
        content.trim_ascii_end().to_vec()
    };
    let all: Vec<Vec<u8>> = (0..100).map(torn).collect();
    assert!(all.iter().any(|it| it.ends_with(&[0, 0])));
    assert!(all.iter().any(|it| it.iter().any(|byte| *byte > 127)));
}

#[test]
fn a_replaced_file_is_the_old_one_or_the_new_one() {
    let mut disk = MemoryDisk::default();
    replace(&mut disk, "a", "old").expect("works");
    assert_eq!(outcomes(&disk, "a"), ["-", "old"]);
    flush(&mut disk, "a");
    let first = {
        replace(&mut disk, "a", "newer").expect("works");
        begin_flush(&mut disk, "a")
    };
    replace(&mut disk, "a", "newest").expect("works");
    assert_eq!(outcomes(&disk, "a"), ["newest", "old"]);
    disk.complete(first);
    assert_eq!(outcomes(&disk, "a"), ["newer", "newest"], "that flush has been promised");
    flush(&mut disk, "a");
    assert_eq!(outcomes(&disk, "a"), ["newest"]);
}

#[test]
fn a_cut_below_what_was_flushed_may_be_undone() {
    let mut disk = MemoryDisk::default();
    append(&mut disk, "a", "abcd").expect("works");
    flush(&mut disk, "a");
    truncate(&mut disk, "a", 2);
    append(&mut disk, "a", "x").expect("works");
    assert_eq!(outcomes(&disk, "a"), ["ab", "abcd", "abx"]);
    flush(&mut disk, "a");
    assert_eq!(outcomes(&disk, "a"), ["abx"]);
}

#[test]
fn what_is_journaled_survives_in_order() {
    let mut disk = MemoryDisk::default();
    append(&mut disk, "a", "abcd").expect("works");
    flush(&mut disk, "a");
    truncate(&mut disk, "a", 2);
    append(&mut disk, "b", "new").expect("works");
    for seed in 0..200 {
        let mut lost = disk.clone();
        lost.lose_power(&mut Random::new(seed, 1));
        let files = lost.files();
        let undone = &files["a"][..] == b"abcd";
        assert!(!(undone && files.contains_key("b")), "the cut came first");
    }
    flush(&mut disk, "b");
    assert_eq!(outcomes(&disk, "a"), ["ab"], "a flush brings the journal up to date");
}

#[test]
fn a_full_disk_takes_what_fits_and_a_broken_one_nothing() {
    let mut disk = MemoryDisk::default();
    append(&mut disk, "a", "ab").expect("works");
    disk.limit(5);
    assert_eq!(append(&mut disk, "b", "cdef"), Err(DiskError::Full));
    assert_eq!(&disk.files()["b"][..], b"cde");
    assert_eq!(replace(&mut disk, "c", "x"), Err(DiskError::Full));
    assert!(!disk.files().contains_key("c"));
    disk.fail();
    assert_eq!(append(&mut disk, "a", "x"), Err(DiskError::Io));
    disk.repair();
    append(&mut disk, "a", "cdefgh").expect("works again");
    assert_eq!(disk.used(), 11);
}

#[test]
fn bits_flip_on_the_platter_and_a_wiped_disk_is_empty() {
    let mut disk = MemoryDisk::default();
    append(&mut disk, "a", "ab").expect("works");
    assert!(disk.corrupt("a", 1, 1));
    assert!(!disk.corrupt("a", 2, 1) && !disk.corrupt("b", 0, 1));
    assert_eq!(outcomes(&disk, "a"), ["ac"]);
    disk.wipe();
    assert_eq!(disk.files(), Files::new());
}

#[test]
fn a_folder_is_listed_without_its_neighbours() {
    let mut disk = MemoryDisk::default();
    for file in ["a", "a-0/1", "a-0/2", "a-01/1"] {
        append(&mut disk, file, file).expect("works");
    }
    let names: Vec<&str> = disk.names_in("a-0/").map(|name| &**name).collect();
    assert_eq!(names, ["a-0/1", "a-0/2"]);
    assert_eq!(disk.content("a-0/2"), Some(bytes("a-0/2")));
    assert_eq!(disk.content("b"), None);
}

#[test]
fn the_end_of_a_file_is_read_across_its_appends() {
    let mut disk = MemoryDisk::default();
    for bytes in ["abc", "de", "fgh"] {
        let bytes = Bytes::from_static(bytes.as_bytes());
        disk.apply(DiskOp::Append { file: "x".into(), bytes }).expect("room");
    }
    let from = |at| disk.content_from("x", at).map(|it| it.to_vec());
    assert_eq!(disk.len_bytes("x"), 8);
    assert_eq!(from(0).as_deref(), Some(&b"abcdefgh"[..]));
    assert_eq!(from(2).as_deref(), Some(&b"cdefgh"[..]));
    assert_eq!(from(6).as_deref(), Some(&b"gh"[..]));
    assert_eq!(from(8).as_deref(), Some(&b""[..]));
    assert_eq!(from(80).as_deref(), Some(&b""[..]));
    assert_eq!(disk.content_from("y", 0), None);
    assert_eq!(disk.len_bytes("y"), 0);
}
