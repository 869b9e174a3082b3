/// One row of a file as it stands there, before its columns are understood.
struct ScannedRow: Sendable, Hashable {
    /// One cell of a CSV row; of NDJSON the whole line.
    struct Cell: Sendable, Hashable {
        var bytes: [UInt8] = []
        /// It stood in quotes: an empty one is then an empty text, and not nothing.
        var isQuoted = false
    }

    var cells: [Cell] = []
    /// All bytes without the line end, at most the limit.
    var raw: [UInt8] = []
    /// Counted from 1; a quoted cell may hold several.
    var lines: ClosedRange<Int>
    /// Why it cannot be read; nil for a row that can.
    var problem: String?
}

/// Reads rows out of bytes: a plain state machine over ``ByteSource``.
protocol RowScanner: Sendable {
    /// Bytes of a row that are accepted.
    var limit: Int { get }
    /// The next row, from that line on; nil at the end. Lines with nothing in them are no rows.
    func next(_ source: ByteSource, line: inout Int) throws -> ScannedRow?
}

/// The byte that matters to both formats.
enum Byte {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let quote: UInt8 = 0x22
}
