//! Texts by a piece of them.
//!
//! A text that contains another contains every piece of it. So each is kept under one piece of a fixed length, and a
//! text in which they are looked for is asked for its pieces, one after the other: as many questions as it has bytes,
//! however many are kept.

use foldhash::HashMap;

/// Lengths of pieces in bytes. A text is kept under one of the longest that it has.
const LENGTHS: [usize; 4] = [1, 2, 4, 8];
/// Pieces of a text that are looked at to find the one that is rarest.
const MOST_TRIED: usize = 64;

/// Lists of conditions by pieces of text.
#[derive(Default)]
pub(super) struct Grams {
    tables: [HashMap<u64, u32>; LENGTHS.len()],
}

/// One piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gram {
    table: usize,
    piece: u64,
}

impl Grams {
    /// The rarest piece of a text that is not empty, with how many are kept under it.
    pub(super) fn rarest(&self, text: &str, members: impl Fn(u32) -> usize) -> (Gram, usize) {
        let table = LENGTHS.iter().rposition(|length| *length <= text.len()).unwrap_or(0);
        let length = LENGTHS.get(table).copied().unwrap_or(1);
        let load = |gram: &Gram| self.get(*gram).map_or(0, &members);
        let pieces =
            text.as_bytes().windows(length).take(MOST_TRIED).map(|bytes| Gram { table, piece: piece(bytes) });
        let rarest = pieces.map(|gram| (gram, load(&gram))).min_by_key(|(_, load)| *load);
        rarest.unwrap_or((Gram { table: 0, piece: 0 }, 0))
    }

    pub(super) fn get(&self, gram: Gram) -> Option<u32> {
        self.tables.get(gram.table)?.get(&gram.piece).copied()
    }

    pub(super) fn insert(&mut self, gram: Gram, bucket: u32) {
        if let Some(table) = self.tables.get_mut(gram.table) {
            table.insert(gram.piece, bucket);
        }
    }

    pub(super) fn remove(&mut self, gram: Gram) {
        if let Some(table) = self.tables.get_mut(gram.table) {
            table.remove(&gram.piece);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.iter().all(HashMap::is_empty)
    }

    /// Calls a function with the list of every piece of a text.
    pub(super) fn each(&self, text: &str, mut found: impl FnMut(u32)) {
        for (table, length) in self.tables.iter().zip(LENGTHS).filter(|(table, _)| !table.is_empty()) {
            let mask = u64::MAX >> (64 - 8 * length);
            let mut piece = 0;
            for (at, byte) in text.bytes().enumerate() {
                piece = (piece << 8 | u64::from(byte)) & mask;
                if at + 1 >= length
                    && let Some(bucket) = table.get(&piece)
                {
                    found(*bucket);
                }
            }
        }
    }
}

fn piece(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |piece, byte| piece << 8 | u64::from(*byte))
}
