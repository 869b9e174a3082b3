import HubDriver
import HubModel

/// A declared column: its member's name and what its texts mean.
struct Column: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case text
        /// Exact, written as JSON has it; `point` stands for the decimal point.
        case number(point: UInt8)
        /// A day, in that order of its parts.
        case date(DatePattern)
        case boolean(yes: String, no: String)
        /// Anything that JSON has; NDJSON only.
        case json
    }

    var name: String
    var kind: Kind

    /// What is wrong with a value, in words for people.
    struct Mistake: Error {
        var text: String
    }

    // MARK: CSV

    /// The member's value that a cell says; an empty one without quotes is null.
    func value(_ cell: ScannedRow.Cell, _ encoding: TextEncoding) throws(Mistake) -> Value {
        guard let text = encoding.text(cell.bytes) else { throw Mistake(text: "the bytes are no \(encoding.rawValue)") }
        if text.isEmpty, !cell.isQuoted { return .null }
        if text.utf8.contains(0) { throw Mistake(text: "U+0000 cannot be kept") }
        switch kind {
        case .text: return .string(text)
        case .number(let point):
            let plain = point == UInt8(ascii: ".") ? text : Self.withPoint(text, point)
            guard let number = Number(plain) else { throw Mistake(text: "“\(text.prefix(40))” is no number") }
            return .number(number)
        case .date(let pattern):
            guard let date = pattern.date(text) else { throw Mistake(text: "“\(text.prefix(40))” is no date of the form \(pattern.text)") }
            return .string(date.description)
        case .boolean(let yes, let no):
            guard text == yes || text == no else { throw Mistake(text: "“\(text.prefix(40))” is neither \(yes) nor \(no)") }
            return .bool(text == yes)
        case .json: throw Mistake(text: "JSON stands in NDJSON only")
        }
    }

    /// A text with its decimal sign turned into a point; one that holds a point already is no number then.
    private static func withPoint(_ text: String, _ point: UInt8) -> String {
        let bytes = text.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "?") : $0 == point ? UInt8(ascii: ".") : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The cell of a value that ``check(_:_:)`` has let pass; nil for an empty one.
    func cell(_ value: Value) -> String? {
        switch (kind, value) {
        case (.number(let point), .number(let number)):
            String(decoding: number.description.utf8.map { $0 == UInt8(ascii: ".") ? point : $0 }, as: UTF8.self)
        case (.date(let pattern), .string(let text)): CivilDate(text).map(pattern.text(_:)) ?? text
        case (.boolean(let yes, let no), .bool(let flag)): flag ? yes : no
        case (_, .string(let text)): text
        default: nil
        }
    }

    // MARK: JSON

    /// The member's value that a line of NDJSON says, in the hub's form.
    func value(_ value: Value) throws(Mistake) -> Value {
        switch (kind, value) {
        case (.json, _), (_, .null), (.text, .string), (.number, .number), (.boolean, .bool): return value
        case (.date(let pattern), .string(let text)):
            guard let date = pattern.date(text) else { throw Mistake(text: "“\(text.prefix(40))” is no date of the form \(pattern.text)") }
            return .string(date.description)
        default: throw Mistake(text: "\(JSONText.text(value).prefix(40)) is no \(kindText)")
        }
    }

    /// A value as a line of NDJSON says it.
    func json(_ value: Value) -> Value {
        if case .date(let pattern) = kind, case .string(let text) = value, let date = CivilDate(text) { return .string(pattern.text(date)) }
        return value
    }

    // MARK: Writing

    /// Lets a value pass that the column can keep exactly.
    func check(_ value: Value, _ encoding: TextEncoding) throws(Mistake) {
        switch (kind, value) {
        case (_, .null), (.number, .number), (.boolean, .bool), (.json, _): return
        case (.text, .string(let text)):
            if text.utf8.contains(0) { throw Mistake(text: "U+0000 cannot be kept") }
            if encoding.bytes(text) == nil { throw Mistake(text: "a character has no place in \(encoding.rawValue)") }
        case (.date, .string(let text)):
            guard CivilDate(text) != nil else { throw Mistake(text: "“\(text.prefix(40))” is no day such as 2026-02-28") }
        default: throw Mistake(text: "\(JSONText.text(value).prefix(40)) is no \(kindText)")
        }
    }

    private var kindText: String {
        switch kind {
        case .text: "text"
        case .number: "number"
        case .date: "date"
        case .boolean: "truth value"
        case .json: "JSON"
        }
    }
}

/// How a day is written: `DD.MM.YYYY`.
struct DatePattern: Sendable, Hashable {
    let text: String

    static let iso = DatePattern(known: "YYYY-MM-DD")

    private init(known: String) { text = known }

    /// Nil where year (four), month and day (two each) do not each stand there once.
    init?(_ text: some StringProtocol) {
        let letters = String(text).filter { "YMD".contains($0) }
        guard ["YYYYMMDD", "DDMMYYYY", "MMDDYYYY"].contains(letters), text.contains("YYYY"), text.contains("MM"), text.contains("DD"),
            text.utf8.count <= 10
        else { return nil }
        self.text = String(text)
    }

    /// The day that a text names in this form; nil where it names none.
    func date(_ written: String) -> CivilDate? {
        guard written.utf8.count == text.utf8.count else { return nil }
        var date = CivilDate(year: 0, month: 0, day: 0)
        for (form, byte) in zip(text.utf8, written.utf8) {
            let digit = Int(byte) - Int(UInt8(ascii: "0"))
            switch form {
            case UInt8(ascii: "Y"), UInt8(ascii: "M"), UInt8(ascii: "D"):
                guard (0...9).contains(digit) else { return nil }
                if form == UInt8(ascii: "Y") { date.year = date.year * 10 + digit }
                if form == UInt8(ascii: "M") { date.month = date.month * 10 + digit }
                if form == UInt8(ascii: "D") { date.day = date.day * 10 + digit }
            default: if form != byte { return nil }
            }
        }
        return date.isReal ? date : nil
    }

    /// The day in this form.
    func text(_ date: CivilDate) -> String {
        let parts = date.description.split(separator: "-").map(String.init)
        guard parts.count == 3 else { return date.description }
        return text.replacing("YYYY", with: parts[0]).replacing("MM", with: parts[1]).replacing("DD", with: parts[2])
    }
}
