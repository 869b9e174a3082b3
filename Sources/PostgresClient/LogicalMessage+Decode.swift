import HubModel

extension LogicalMessage {
    /// Tables have 1,600 columns at most.
    private static let maxColumns = 1664
    /// Relations that one TRUNCATE may name here.
    private static let maxRelations = 100_000

    /// Reads one message, all of it: what is left over is a mistake.
    package init(_ bytes: UnsafeRawBufferPointer) throws(LogicalMessageError) {
        var reader = LogicalReader(bytes)
        let kind = try reader.byte()
        switch kind {
        case UInt8(ascii: "B"):
            self = .begin(commit: try reader.place(), time: try reader.time(), transaction: try reader.word())
        case UInt8(ascii: "C"):
            guard try reader.byte() == 0 else { throw reader.mistake("a commit has flags") }
            self = .commit(commit: try reader.place(), end: try reader.place())
            _ = try reader.time()
        case UInt8(ascii: "O"):
            _ = try reader.place()
            _ = try reader.text()
            self = .origin
        case UInt8(ascii: "R"): self = .relation(try Self.relation(&reader))
        case UInt8(ascii: "Y"):
            _ = try reader.word()
            _ = try reader.text()
            _ = try reader.text()
            self = .type
        case UInt8(ascii: "I"):
            let relation = try reader.word()
            guard try reader.byte() == UInt8(ascii: "N") else { throw reader.mistake("an insert has no new row") }
            self = .insert(relation: relation, new: try Self.tuple(&reader))
        case UInt8(ascii: "U"): self = try Self.update(&reader)
        case UInt8(ascii: "D"):
            let relation = try reader.word()
            guard [UInt8(ascii: "K"), UInt8(ascii: "O")].contains(try reader.byte()) else {
                throw reader.mistake("a delete has no old row")
            }
            self = .delete(relation: relation, old: try Self.tuple(&reader))
        case UInt8(ascii: "T"):
            let count = Int(try reader.word())
            guard count <= Self.maxRelations else { throw reader.mistake("a truncate of \(count) tables") }
            _ = try reader.byte()
            var relations: [UInt32] = []
            for _ in 0..<count { relations.append(try reader.word()) }
            self = .truncate(relations: relations)
        default: throw reader.mistake("a message of kind \(kind), which was not asked for")
        }
        guard reader.isAtEnd else { throw reader.mistake("bytes behind a message's end") }
    }

    private static func update(_ reader: inout LogicalReader) throws(LogicalMessageError) -> LogicalMessage {
        let relation = try reader.word()
        var kind = try reader.byte()
        var old: LogicalTuple?
        if kind == UInt8(ascii: "K") || kind == UInt8(ascii: "O") {
            old = try tuple(&reader)
            kind = try reader.byte()
        }
        guard kind == UInt8(ascii: "N") else { throw reader.mistake("an update has no new row") }
        return .update(relation: relation, old: old, new: try tuple(&reader))
    }

    private static func relation(_ reader: inout LogicalReader) throws(LogicalMessageError) -> LogicalRelation {
        let id = try reader.word()
        let schema = try reader.text()
        let name = try reader.text()
        _ = try reader.byte()
        let count = Int(try reader.short())
        guard count <= maxColumns else { throw reader.mistake("a table of \(count) columns") }
        var columns: [LogicalRelation.Column] = []
        for _ in 0..<count {
            let isIdentity = try reader.byte() & 1 == 1
            let name = try reader.text()
            let type = try reader.word()
            _ = try reader.word()
            columns.append(LogicalRelation.Column(name: name, type: type, isIdentity: isIdentity))
        }
        return LogicalRelation(id: id, schema: schema.isEmpty ? "pg_catalog" : schema, name: name, columns: columns)
    }

    private static func tuple(_ reader: inout LogicalReader) throws(LogicalMessageError) -> LogicalTuple {
        let count = Int(try reader.short())
        guard count <= maxColumns else { throw reader.mistake("a row of \(count) columns") }
        var columns: [LogicalTuple.Column] = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            switch try reader.byte() {
            case UInt8(ascii: "n"): columns.append(.null)
            case UInt8(ascii: "u"): columns.append(.unchanged)
            case UInt8(ascii: "t"): columns.append(.text(try reader.range(Int(try reader.word()))))
            case let other: throw reader.mistake("a column of kind \(other)")
            }
        }
        return LogicalTuple(columns: columns)
    }
}

/// Reads numbers in the network's order, and never past the end.
struct LogicalReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    func mistake(_ text: String) -> LogicalMessageError {
        LogicalMessageError(description: "The server's change stream cannot be read: \(text) (byte \(offset) of \(bytes.count)).")
    }

    mutating func range(_ count: Int) throws(LogicalMessageError) -> Range<Int> {
        guard count >= 0, count <= bytes.count - offset else { throw mistake("a message that ends too early") }
        defer { offset += count }
        return offset..<(offset + count)
    }

    private mutating func number<N: FixedWidthInteger>(_: N.Type) throws(LogicalMessageError) -> N {
        let range = try range(MemoryLayout<N>.size)
        return N(bigEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: N.self))
    }

    mutating func byte() throws(LogicalMessageError) -> UInt8 { try number(UInt8.self) }
    mutating func short() throws(LogicalMessageError) -> UInt16 { try number(UInt16.self) }
    mutating func word() throws(LogicalMessageError) -> UInt32 { try number(UInt32.self) }
    mutating func place() throws(LogicalMessageError) -> LogSequenceNumber {
        let place = try number(UInt64.self)
        return LogSequenceNumber(place)
    }
    /// Microseconds since 2000-01-01, cut to milliseconds.
    mutating func time() throws(LogicalMessageError) -> Instant {
        Instant(milliseconds: try number(Int64.self) / 1000 + ReplicationStream.epoch)
    }

    /// Up to a zero byte.
    mutating func text() throws(LogicalMessageError) -> String {
        guard let end = bytes[offset...].firstIndex(of: 0) else { throw mistake("a name without an end") }
        defer { offset = end + 1 }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }
}
