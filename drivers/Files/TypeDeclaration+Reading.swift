import HubDriver
import HubModel

extension TypeDeclaration {
    /// What is wrong with a declaration.
    private struct Mistake: Error {
        var text: String
    }

    /// Reads the whole setting: a type begins at the start of a line, `name:`, and goes on over lines that begin with a space.
    static func all(_ text: String, of application: ApplicationID) throws(DriverError) -> [TypeDeclaration] {
        var blocks: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.prefix { $0 != "#" }
            if line.allSatisfy(\.isWhitespace) { continue }
            if line.first?.isWhitespace == true, !blocks.isEmpty { blocks[blocks.count - 1] += line } else { blocks.append(String(line)) }
        }
        var found: [TypeDeclaration] = []
        for block in blocks {
            do throws(Mistake) {
                let type = try TypeDeclaration(block)
                if found.contains(where: { $0.native == type.native }) { throw Mistake(text: "\(type.native) is declared twice") }
                found.append(type)
            } catch {
                throw DriverError(.configuration, "\(application): types, “\(block.prefix(60))”: \(error.text).")
            }
        }
        if found.isEmpty { throw DriverError(.configuration, "\(application) needs the setting types.") }
        return found
    }

    private init(_ block: String) throws(Mistake) {
        let words = block.split(whereSeparator: \.isWhitespace)
        guard let name = words.first, name.hasSuffix(":"), name.count > 1 else {
            throw Mistake(text: "it has to begin with the type's name and a colon")
        }
        native = String(name.dropLast())
        entity = EntityName(native)
        var columns = ""
        var decimal = UInt8(ascii: ".")
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw Mistake(text: "\(word) should be name=value") }
            let value = String(parts[1])
            switch parts[0] {
            case "columns": columns = value
            case "decimal": decimal = try Self.choice(value, ["point": UInt8(ascii: "."), "comma": UInt8(ascii: ",")], "decimal")
            default: try set(String(parts[0]), value)
            }
        }
        for text in columns.split(separator: ",") { self.columns.append(try Self.column(text, decimal: decimal)) }
        try complete()
    }

    private mutating func set(_ word: String, _ value: String) throws(Mistake) {
        let flag = ["yes": true, "no": false]
        switch word {
        case "entity": entity = EntityName(value)
        case "format": format = try Self.choice(value, Dictionary(uniqueKeysWithValues: Format.allCases.map { ($0.rawValue, $0) }), word)
        case "in": inbound = value
        case "out": outbound = value
        case "key": key = value
        case "operation": operation = value
        case "reference": reference = value
        case "company": company = value
        case "codes": codes = try Self.codes(value)
        case "mode": mode = try Self.choice(value, Dictionary(uniqueKeysWithValues: Mode.allCases.map { ($0.rawValue, $0) }), word)
        case "absent": absentIsDeleted = try Self.choice(value, ["deleted": true, "kept": false], word)
        case "processed":
            processed = try Self.choice(value, Dictionary(uniqueKeysWithValues: Processed.allCases.map { ($0.rawValue, $0) }), word)
        case "delimiter":
            let names = ["comma": UInt8(ascii: ","), "semicolon": UInt8(ascii: ";"), "tab": 0x09, "pipe": UInt8(ascii: "|")]
            delimiter = try Self.choice(value, names, word)
        case "encoding":
            encoding = try Self.choice(value, Dictionary(uniqueKeysWithValues: TextEncoding.allCases.map { ($0.rawValue, $0) }), word)
        case "bom": writesMark = try Self.choice(value, flag, word)
        case "header": hasHeader = try Self.choice(value, flag, word)
        case "quiet": quiet = try Self.number(value, 0...86_400, word)
        case "limit": limit = try Self.number(value, 100...64_000_000, word)
        case "malformed": malformedLimit = try Self.number(value, 1...1_000_000, word)
        default: throw Mistake(text: "there is no word \(word)=")
        }
    }

    /// Refuses what contradicts itself.
    private mutating func complete() throws(Mistake) {
        guard inbound != nil || outbound != nil else { throw Mistake(text: "neither in= nor out= is there") }
        if columns.isEmpty { throw Mistake(text: "columns= is missing") }
        guard Set(columns.map(\.name)).count == columns.count else { throw Mistake(text: "a column is there twice") }
        for (word, name) in [("key", key), ("operation", operation), ("reference", reference), ("company", company)] {
            guard let name, word != "key" || !name.isEmpty else {
                if word == "key" { throw Mistake(text: "key= is missing") }
                continue
            }
            guard let column = column(name) else { throw Mistake(text: "\(word)=\(name) is none of its columns") }
            guard column.kind == .text else { throw Mistake(text: "\(word)=\(name) has to be text") }
        }
        guard
            Set([key, operation, reference, company].compactMap(\.self)).count
                == [key, operation, reference, company].compactMap(\.self).count
        else { throw Mistake(text: "key, operation, reference and company are columns of their own") }
        if absentIsDeleted, mode != .snapshot { throw Mistake(text: "absent=deleted needs mode=snapshot") }
        if mode == .snapshot, operation != nil { throw Mistake(text: "a snapshot has no operation column") }
        if let outbound, outbound.contains("/") || outbound.hasPrefix(".") { throw Mistake(text: "out= is the beginning of a file's name") }
        if format == .csv, columns.contains(where: { $0.kind == .json }) { throw Mistake(text: "json columns stand in NDJSON only") }
        if format == .ndjson {
            if encoding != .utf8 { throw Mistake(text: "NDJSON is UTF-8") }
            hasHeader = false
        }
        if writesMark, encoding != .utf8 { throw Mistake(text: "bom=yes needs UTF-8") }
        let names = columns.filter { encoding.bytes($0.name) == nil }
        if !names.isEmpty { throw Mistake(text: "\(names[0].name) has no place in \(encoding.rawValue)") }
    }

    private static func column(_ text: Substring, decimal: UInt8) throws(Mistake) -> Column {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else { throw Mistake(text: "a column has no name") }
        let kind: Column.Kind
        switch (parts.count > 1 ? parts[1] : "text", parts.count) {
        case ("text", 1...2): kind = .text
        case ("number", 2): kind = .number(point: decimal)
        case ("json", 2): kind = .json
        case ("date", 2): kind = .date(.iso)
        case ("date", 3):
            guard let pattern = DatePattern(parts[2]) else {
                throw Mistake(text: "\(parts[2]) is no form of a date such as DD.MM.YYYY")
            }
            kind = .date(pattern)
        case ("boolean", 2): kind = .boolean(yes: "true", no: "false")
        case ("boolean", 4):
            guard !parts[2].isEmpty, !parts[3].isEmpty, parts[2] != parts[3] else { throw Mistake(text: "\(text) needs two words") }
            kind = .boolean(yes: String(parts[2]), no: String(parts[3]))
        default: throw Mistake(text: "\(text) is none of text, number, date, date:DD.MM.YYYY, boolean, boolean:Y:N, json")
        }
        return Column(name: String(name), kind: kind)
    }

    private static func codes(_ text: String) throws(Mistake) -> Codes {
        let parts = text.split(separator: ",").map(String.init)
        guard parts.count == 3, Set(parts).count == 3 else { throw Mistake(text: "codes= are three: new, changed, deleted (I,U,D)") }
        return Codes(create: parts[0], update: parts[1], delete: parts[2])
    }

    private static func choice<T>(_ text: String, _ choices: [String: T], _ word: String) throws(Mistake) -> T {
        guard let choice = choices[text] else {
            throw Mistake(text: "\(word)=\(text) is none of \(choices.keys.sorted().joined(separator: ", "))")
        }
        return choice
    }

    private static func number(_ text: String, _ range: ClosedRange<Int>, _ word: String) throws(Mistake) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw Mistake(text: "\(word)= has to be a whole number, \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
