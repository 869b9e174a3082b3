import HubDriver
import HubModel

extension Trial {
    /// Every value of a list is kept exactly or refused.
    func exact(_ probe: FieldProbe) async throws -> String {
        let values: [Value]
        switch probe.kind {
        case .text: values = Self.texts.map { .string($0) }
        case .decimal(let scale): values = Self.decimals(scale)
        case .date: values = Self.dates.map { .string($0) }
        }
        var held = try await newDocument()
        var (kept, refused) = (0, 0)
        var wrong: [String] = []
        for value in values {
            do {
                if try await isKept(value, probe, held) { kept += 1 } else { refused += 1 }
            } catch Verdict.failed(let text) {
                wrong.append(text)
            }
            held = held.at(try await existing(held.document.key))
        }
        let rest = wrong.count > 5 ? " and \(wrong.count - 5) more" : ""
        try Verdict.require(wrong.isEmpty, wrong.prefix(5).joined(separator: "; ") + rest)
        try Verdict.require(kept > 0, "every value was refused: is \(probe.name) what the bench says?")
        return "\(kept) values kept, \(refused) refused"
    }

    /// True where the value stands exactly, false where it was refused and nothing has changed; fails elsewhere.
    private func isKept(_ value: Value, _ probe: FieldProbe, _ held: Held) async throws -> Bool {
        let ending = try await apply(update(held, probe.write(value)))
        switch ending {
        case .answer(.written(let told)), .answer(.unchanged(let told)):
            try check(value, probe, told, "the answer")
            try check(value, probe, try await existing(told.key), "a read")
            return true
        case .answer(.rejected):
            let before = probe.read(held.document.fields) ?? .null
            let after = probe.read(try await existing(held.document.key).fields) ?? .null
            try Verdict.require(before == after, "\(shown(value)) was rejected, but \(shown(after)) stands instead of \(shown(before))")
            return false
        default: throw Verdict.failed("\(shown(value)) ended as \(ending.detail)")
        }
    }

    private func check(_ sent: Value, _ probe: FieldProbe, _ document: NativeDocument, _ place: String) throws {
        let told = probe.read(document.fields) ?? .null
        var wanted = sent
        if case .text(isTrimmed: true) = probe.kind, let text = sent.text { wanted = .string(text.withoutSpaceAround) }
        // Where an application has no empty text, none at all is the same.
        if wanted == .string(""), told.isNull { return }
        try Verdict.require(told == wanted, "\(shown(sent)) was taken, and \(place) shows \(Self.contrast(wanted, told))")
    }

    /// The told value; of long or look-alike texts the first difference.
    private static func contrast(_ wanted: Value, _ told: Value) -> String {
        guard let a = wanted.text.map({ Array($0.unicodeScalars) }), let b = told.text.map({ Array($0.unicodeScalars) }) else {
            return shown(told)
        }
        let place = zip(a, b).prefix { $0 == $1 }.count
        func scalar(_ list: [Unicode.Scalar]) -> String {
            place < list.count ? "U+" + String(list[place].value, radix: 16, uppercase: true) : "the end"
        }
        return "\(shown(told)): \(scalar(b)) instead of \(scalar(a)) after \(place) characters"
    }

    // MARK: Values

    /// Texts that badly made interfaces mangle, cut, run or misread.
    static let texts: [String] = [
        "plain", "O'Brien \"& Sons\" <b>é</b>", "'; DROP TABLE x; --", "back\\slash \\n \\u0041 \\\\", "%s %d %00 ${x} {{y}} #{z}",
        "null", "true", "0012", "1e5", "[]", "{\"a\":1}", "=1+1", "line\nbreak\r\nand\ttab", "a,b;c|d", "a & b &amp; c", "<![CDATA[x]]>",
        "Ünïcödé Ελληνικά Русский 日本語 한국어 العربية עברית", "e\u{301} and é are two writings", "👩‍👩‍👧‍👦 🇫🇷 𝒳 \u{1F469}\u{1F3FD}",
        "\u{202E}right to left\u{202C}", "\u{FEFF}mark", "soft\u{AD}hyphen zero\u{200B}width", "line\u{2028}separator",
        "ﬁ ligature ſ ß İ ı",
        "replacement \u{FFFD}", "control \u{1} \u{1B}[31m \u{7F} \u{85}", "nul \u{0} inside", "  spaces around  ", "", "\u{10FFFF}",
        String(repeating: "long ", count: 200) + "end", String(repeating: "é", count: 70_000) + "end",
        // 1 MiB.
        String(repeating: "0123456789abcdef", count: 65_535) + "0123456789abcEND",
    ]

    static let dates = [
        "2026-01-01", "2024-02-29", "2000-02-29", "2026-03-29", "2026-10-25", "2026-12-31", "1999-12-31", "1970-01-01", "1969-12-31",
        "1900-01-01", "1582-10-15", "2038-01-20", "2100-02-28", "9999-12-31",
    ]

    /// Numbers with that many decimals that binary floating point, rounding or cutting shows itself with.
    static func decimals(_ scale: Int) -> [Value] {
        let plain = ["0", "1", "10", "0.1", "0.07", "0.29", "1.005", "2.675", "8.95", "1.15", "4.35", "1234567.89", "99999999.99", "0.3"]
        let units: [Int64] = [1, 9, 5, 10_000_001, 123_456_789_012_345, 900_719_925_474_099_3, -1, -12_345]
        let texts = plain.compactMap { Number($0) }.compactMap { $0.rounded(toScale: scale, .exact) }
        return (texts + units.map { Number($0, scale: scale) }).map { .number($0) }
    }
}

extension String {
    /// Without white space at either end.
    var withoutSpaceAround: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
