//! The bundled faces and their font files.
//!
//! The files are TrueType subsets with Latin, punctuation, arrows and shapes; `build.py`
//! in `assets/fonts` makes them and the metrics beside them, under the SIL Open Font
//! License.

/// Which of the bundled faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Face {
    /// Inter 400: labels, captions.
    Regular,
    /// Inter 600: titles, badges.
    SemiBold,
    /// JetBrains Mono 400: offsets, keys, code.
    Mono,
}

/// The bytes of the face's TrueType file, for embedding.
pub fn font_bytes(face: Face) -> &'static [u8] {
    match face {
        Face::Regular => include_bytes!("../../../assets/fonts/inter-400.ttf"),
        Face::SemiBold => include_bytes!("../../../assets/fonts/inter-600.ttf"),
        Face::Mono => include_bytes!("../../../assets/fonts/jetbrains-mono-400.ttf"),
    }
}

/// The family name, as CSS and the font file itself say it.
pub fn family(face: Face) -> &'static str {
    match face {
        Face::Regular | Face::SemiBold => "Inter",
        Face::Mono => "JetBrains Mono",
    }
}

/// The weight, as CSS counts it.
pub fn weight(face: Face) -> u16 {
    match face {
        Face::Regular | Face::Mono => 400,
        Face::SemiBold => 600,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_ships_a_truetype_file() {
        for face in [Face::Regular, Face::SemiBold, Face::Mono] {
            assert_eq!(font_bytes(face)[..4], [0, 1, 0, 0], "{face:?}");
        }
    }
}
