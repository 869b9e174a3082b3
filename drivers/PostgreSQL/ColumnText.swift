import HubDriver
import HubModel
import PostgresClient

/// How a column's text, as its type's output function writes it, becomes the value that `row_to_json` would make of it: what is captured
/// looks as what is read.
indirect enum ColumnText: Sendable, Hashable {
    case number
    case flag
    /// Without or with a time zone.
    case moment
    case json
    case text
    case array(ColumnText)
    /// The database itself has to make it: a composite type, or one with a cast of its own. With the type's name.
    case asked(String)

    /// Nested arrays and JSON deeper than this are refused.
    private static let maxDepth = 6

    /// - Parameter ask: makes a value of an ``asked(_:)`` type's text.
    func value(_ bytes: UnsafeRawBufferPointer, ask: (String, String) throws(PostgresError) -> Value) throws(PostgresError) -> Value {
        switch self {
        case .number, .flag, .moment, .text: return plain(bytes) ?? .null
        case .json:
            do throws(JSONTextError) { return try JSONText.value(Array(bytes)) } catch {
                throw PostgresError(.usage, "A column's JSON cannot be read: \(error.reason)")
            }
        case .asked(let type): return try ask(String(decoding: bytes, as: UTF8.self), type)
        case .array(let element):
            var reader = ArrayReader(bytes: Array(bytes), element: element)
            guard let value = try reader.read(depth: Self.maxDepth, ask: ask) else {
                throw PostgresError(.usage, "An array cannot be read: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
            }
            return value
        }
    }

    /// The value, where it can be made of the text alone and at once; nil with lists, JSON and what has to be asked.
    func plain(_ bytes: UnsafeRawBufferPointer) -> Value? {
        switch self {
        case .number: Number(json: bytes).map { .number($0) } ?? .string(String(decoding: bytes, as: UTF8.self))
        case .flag: .bool(bytes.first == UInt8(ascii: "t"))
        case .moment: .string(Self.iso(bytes))
        case .text: .string(String(decoding: bytes, as: UTF8.self))
        case .json, .asked, .array: nil
        }
    }

    /// `2026-11-21 12:08:01.25+00` → `2026-11-21T12:08:01.25+00:00`; what has no clock stays as it is.
    private static func iso(_ text: UnsafeRawBufferPointer) -> String {
        let space = UInt8(ascii: " ")
        guard let place = text.firstIndex(of: space), !text[place...].starts(with: beforeChrist) else {
            return String(decoding: text, as: UTF8.self)
        }
        let isBefore = text.suffix(beforeChrist.count).elementsEqual(beforeChrist)
        let clock = text[(place + 1)..<(text.count - (isBefore ? beforeChrist.count : 0))]
        // A zone of whole hours has no minutes.
        let zone = clock.lastIndex { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        let isShort = zone.map { !clock[$0...].contains(UInt8(ascii: ":")) } ?? false
        return String(unsafeUninitializedCapacity: text.count + noMinutes.count) { bytes in
            var count = 0
            func append(_ part: some Sequence<UInt8>) {
                for byte in part {
                    bytes[count] = byte
                    count += 1
                }
            }
            append(text[..<place])
            append(CollectionOfOne(UInt8(ascii: "T")))
            append(clock)
            if isShort { append(noMinutes) }
            if isBefore { append(beforeChrist) }
            return count
        }
    }

    private static let beforeChrist = Array(" BC".utf8)
    private static let noMinutes = Array(":00".utf8)
}

/// Reads PostgreSQL's array literals: `{1,NULL,"a \"b\""}`, `[0:1]={…}`, `{{1,2},{3,4}}`.
private struct ArrayReader {
    let bytes: [UInt8]
    let element: ColumnText
    private var place = 0

    init(bytes: [UInt8], element: ColumnText) {
        self.bytes = bytes
        self.element = element
    }

    private static let open = UInt8(ascii: "{")
    private static let close = UInt8(ascii: "}")
    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    /// nil where it is no array.
    mutating func read(depth: Int, ask: (String, String) throws(PostgresError) -> Value) throws(PostgresError) -> Value? {
        // Bounds that are not the usual ones are no part of the value.
        if next == UInt8(ascii: "["), let equals = bytes.firstIndex(of: UInt8(ascii: "=")) { place = equals + 1 }
        guard let value = try list(depth: depth, ask: ask), place == bytes.count else { return nil }
        return value
    }

    private mutating func list(depth: Int, ask: (String, String) throws(PostgresError) -> Value) throws(PostgresError) -> Value? {
        guard depth > 0, next == Self.open else { return nil }
        place += 1
        var values: [Value] = []
        if next == Self.close {
            place += 1
            return .array([])
        }
        while true {
            if next == Self.open {
                guard let inner = try list(depth: depth - 1, ask: ask) else { return nil }
                values.append(inner)
            } else {
                guard let (text, isQuoted) = item() else { return nil }
                let isNull = !isQuoted && text.elementsEqual("NULL".utf8)
                let value = try text.withUnsafeBufferPointer { raw throws(PostgresError) in
                    try isNull ? .null : element.value(UnsafeRawBufferPointer(raw), ask: ask)
                }
                values.append(value)
            }
            let separator = next
            place += 1
            if separator == Self.close { return .array(values) }
            guard separator == Self.comma else { return nil }
        }
    }

    private mutating func item() -> (text: [UInt8], isQuoted: Bool)? {
        let isQuoted = next == Self.quote
        if isQuoted { place += 1 }
        var text: [UInt8] = []
        while let byte = next {
            if isQuoted, byte == Self.quote {
                place += 1
                return (text, true)
            }
            if !isQuoted, byte == Self.comma || byte == Self.close { return (text, false) }
            if byte == Self.backslash { place += 1 }
            guard let kept = next else { return nil }
            text.append(kept)
            place += 1
        }
        return nil
    }
}

extension ColumnText {
    /// How a column of this type reads, whose text is a cast to `text`; nil where that is not known without the catalog, or is not what
    /// the column holds: `character(n)` loses its spaces.
    static func cast(_ type: UInt32, isEnumeration: Bool) -> ColumnText? {
        isEnumeration || plain.contains(type) ? builtin[type] ?? .text : type == paddedType ? nil : builtin[type]
    }

    /// A text can be cast to the type as its input function reads it, and its values can be compared.
    static func isPlain(_ type: UInt32, isEnumeration: Bool) -> Bool {
        isEnumeration || type == paddedType || type == jsonType || plain.contains(type)
    }

    /// `character(n)`.
    private static let paddedType: UInt32 = 1042
    /// Its text is its value.
    private static let jsonType: UInt32 = 114

    /// boolean, bytea, whole numbers, text, floating numbers, varchar, dates and times, numeric, uuid, jsonb.
    private static let plain: Set<UInt32> = [
        16, 17, 20, 21, 23, 25, 700, 701, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950, 3802,
    ]

    /// The built-in types by their number in `pg_type`.
    private static let builtin: [UInt32: ColumnText] = [
        16: .flag, 20: .number, 21: .number, 23: .number, 700: .number, 701: .number, 1700: .number, 114: .json, 3802: .json,
        1114: .moment, 1184: .moment, 25: .text, 1043: .text, 1042: .text, 1082: .text, 1083: .text, 2950: .text, 17: .text, 19: .text,
        1005: .array(.number), 1007: .array(.number), 1016: .array(.number), 1231: .array(.number), 1000: .array(.flag),
        1009: .array(.text), 1015: .array(.text), 2951: .array(.text), 1115: .array(.moment), 1185: .array(.moment),
    ]

    /// How values of these types are written, asking the catalog about those that are not built in.
    static func of(_ types: Set<UInt32>, on connection: PostgresConnection) throws(PostgresError) -> [UInt32: ColumnText] {
        var found = builtin.filter { types.contains($0.key) }
        var open = types.subtracting(found.keys)
        var facts: [UInt32: Facts] = [:]
        // Domains of arrays of domains…
        var rounds = maxDepth
        while !open.isEmpty, rounds > 0 {
            rounds -= 1
            for row in try connection.run(Facts.question, [.integers(open.map { Int64($0) })]).rows {
                facts[UInt32(clamping: row.integer(0))] = Facts(row)
            }
            open = Set(facts.values.flatMap { [$0.base, $0.element] }).subtracting(facts.keys).subtracting(builtin.keys).subtracting([0])
        }
        func resolve(_ type: UInt32, _ depth: Int) -> ColumnText {
            if let known = builtin[type] { return known }
            guard let fact = facts[type], depth > 0 else { return .text }
            if fact.isAsked { return .asked(fact.name) }
            if fact.base != 0 { return resolve(fact.base, depth - 1) }
            guard fact.element != 0 else { return .text }
            let element = resolve(fact.element, depth - 1)
            if case .asked = element { return .asked(fact.name) }
            return fact.hasComma ? .array(element) : .asked(fact.name)
        }
        for type in types where found[type] == nil { found[type] = resolve(type, maxDepth) }
        return found
    }

    /// What the catalog says of a type.
    private struct Facts {
        var name: String
        var base: UInt32
        var element: UInt32
        var hasComma: Bool
        var isAsked: Bool

        static let question = """
            SELECT t.oid, format_type(t.oid, NULL), t.typbasetype, CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END,
                coalesce((SELECT e.typdelim = ',' FROM pg_type e WHERE e.oid = t.typelem), true),
                t.typtype = 'c' OR (t.oid >= 16384 AND EXISTS (SELECT FROM pg_cast c WHERE c.castsource = t.oid
                    AND c.casttarget = 'json'::regtype AND c.castmethod = 'f'))
            FROM pg_type t WHERE t.oid = ANY ($1::bigint[]::oid[])
            """

        init(_ row: PostgresRow) {
            name = row.text(1)
            base = UInt32(clamping: row.integer(2))
            element = UInt32(clamping: row.integer(3))
            hasComma = row.flag(4)
            isAsked = row.flag(5)
        }
    }
}
