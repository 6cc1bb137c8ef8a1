//! Design tokens of the drawing half: every size, weight and duration that a reader's eye may
//! notice. Lengths in px, durations in ms.
//!
//! The same numbers stand in `assets/tokens/tokens.json`, for other tools and for designers;
//! a test holds the two together, one by one.

/// Corner radius of a group's frame.
pub(crate) const RADIUS_GROUP: f64 = 14.0;
/// Corner radius of a node.
pub(crate) const RADIUS_NODE: f64 = 10.0;
/// Corner radius of a title card.
pub(crate) const RADIUS_CARD: f64 = 16.0;
/// Corner radius of a record's cell.
pub(crate) const RADIUS_CELL: f64 = 3.0;
/// Greatest corner radius of a badge.
pub(crate) const RADIUS_BADGE: f64 = 5.0;

/// Border of a group.
pub(crate) const BORDER_GROUP: f64 = 1.25;
/// Border of a node.
pub(crate) const BORDER_NODE: f64 = 1.5;
/// Border of a node with which something is the matter.
pub(crate) const BORDER_ALERT: f64 = 2.5;
/// Border of chips and cells.
pub(crate) const BORDER_FINE: f64 = 1.0;

/// A connection.
pub(crate) const WIRE: f64 = 1.5;
/// A connection of a protocol that carries weight.
pub(crate) const WIRE_STRONG: f64 = 2.0;
/// A connection that is to look lighter than its sister.
pub(crate) const WIRE_FINE: f64 = 1.25;
/// A connection that is to look heavier than its sister.
pub(crate) const WIRE_HEAVY: f64 = 2.5;
/// A connection that appears only while it is used.
pub(crate) const WIRE_FOUND: f64 = 1.25;
/// How much wider than its line the halo of a pulsing connection is.
pub(crate) const HALO: f64 = 5.0;
/// How much wider the halo is at the height of a throb.
pub(crate) const HALO_THROB: f64 = 10.0;
/// Length of an arrow head.
pub(crate) const ARROW_LENGTH: f64 = 8.0;
/// Half the width of an arrow head.
pub(crate) const ARROW_HALF: f64 = 4.0;

/// Font size of the title.
pub(crate) const TYPE_TITLE: f64 = 18.0;
/// Font size of what stands below the title.
pub(crate) const TYPE_SUBTITLE: f64 = 13.0;
/// Font size of a chapter's card.
pub(crate) const TYPE_CARD: f64 = 24.0;
/// Font size of a caption.
pub(crate) const TYPE_CAPTION: f64 = 17.0;
/// Font size of the step.
pub(crate) const TYPE_STEP: f64 = 12.0;
/// Font size of the clock.
pub(crate) const TYPE_CLOCK: f64 = 14.0;
/// Font size on a packet.
pub(crate) const TYPE_PACKET: f64 = 11.0;
/// Font size of a panel's names.
pub(crate) const TYPE_PANEL: f64 = 11.0;
/// Font size of a chip.
pub(crate) const TYPE_CHIP: f64 = 10.0;
/// Font size of the legend.
pub(crate) const TYPE_LEGEND: f64 = 10.5;
/// Font size of a panel's smallest words.
pub(crate) const TYPE_FINE: f64 = 9.5;

/// Left and right of the bands.
pub(crate) const MARGIN: f64 = 24.0;
/// Header of a still picture.
pub(crate) const BAND_TITLE: f64 = 52.0;
/// Header of a film.
pub(crate) const BAND_HEADER: f64 = 68.0;
/// Captions of a film.
pub(crate) const BAND_CAPTIONS: f64 = 96.0;
/// One row of the legend.
pub(crate) const LEGEND_ROW: f64 = 22.0;
/// Least width of a picture with captions.
pub(crate) const LEAST_WIDTH: f64 = 720.0;

/// Height of a packet.
pub(crate) const PACKET_HEIGHT: f64 = 20.0;
/// Between two packets side by side.
pub(crate) const PACKET_GAP: f64 = 3.0;
/// Height of a chip on a node's border.
pub(crate) const CHIP_HEIGHT: f64 = 20.0;
/// Length of a wall across a wire.
pub(crate) const WALL_LENGTH: f64 = 18.0;
/// Width of each of a wall's two bars.
pub(crate) const WALL_WIDTH: f64 = 3.0;
/// Width of a record's cell, gap included.
pub(crate) const CELL_WIDTH: f64 = 17.0;
/// Height of a record's cell.
pub(crate) const CELL_HEIGHT: f64 = 18.0;
/// Height of a replica's row.
pub(crate) const ROW_REPLICA: f64 = 46.0;
/// Height of a client's row.
pub(crate) const ROW_CLIENT: f64 = 22.0;
/// Width of a panel of replicas.
pub(crate) const PANEL_WIDE: f64 = 252.0;
/// Width of a client's panel.
pub(crate) const PANEL_NARROW: f64 = 176.0;

/// How long the cross of a lost packet is seen.
pub(crate) const LOSS_MS: u32 = 600;
/// How long a flash is seen.
pub(crate) const FLASH_MS: u32 = 900;
/// One throb of a pulsing connection.
pub(crate) const THROB_MS: u32 = 1600;
