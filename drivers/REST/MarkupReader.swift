/// Reads XML 1.0 as services describe themselves in: UTF-8, elements, attributes, text.
///
/// There is no document type and so no entity but the five of XML and characters by their number: nothing is fetched and nothing grows.
/// Depth and number of elements are bounded, the length by the answer that is read.
///
/// Foundation's parser was tried: it takes `<a/><b/>` for well formed, and some documents that are cut short end the whole process.
struct MarkupReader {
    private let bytes: [UInt8]
    private var place = 0
    private var stack: [(element: MarkupElement, tag: String)] = []
    private var root: MarkupElement?
    private var count = 0

    private static let mostDepth = 64
    private static let mostElements = 500_000
    private static let mostAttributes = 256
    /// `&#x10FFFF;`
    private static let longestReference = 10

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The document's element.
    static func element(_ bytes: [UInt8]) throws(MarkupMistake) -> MarkupElement {
        var reader = MarkupReader(bytes)
        return try reader.read()
    }

    private mutating func read() throws(MarkupMistake) -> MarkupElement {
        if starts("\u{FEFF}") { place += 3 }
        while place < bytes.count {
            if bytes[place] != UInt8(ascii: "<") {
                try text(upTo: bytes[place...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count)
            } else if starts("<?") {
                try skip(to: "?>")
            } else if starts("<!--") {
                place += 4
                try skip(to: "-->")
            } else if starts("<![CDATA[") {
                try literal()
            } else if starts("<!") {
                throw mistake("a document type is not read")
            } else if starts("</") {
                try close()
            } else {
                try begin()
            }
        }
        if let last = stack.last { throw mistake("<\(last.tag)> is not closed") }
        guard let root else { throw mistake("there is no element") }
        return root
    }

    // MARK: Elements

    private mutating func begin() throws(MarkupMistake) {
        place += 1
        let tag = try name()
        var element = MarkupElement(name: Self.local(tag))
        count += 1
        guard count <= Self.mostElements else { throw mistake("there are more than \(Self.mostElements) elements") }
        if root != nil, stack.isEmpty { throw mistake("<\(tag)> follows the document's element") }
        while true {
            let spaces = skipSpace()
            if take(">") {
                guard stack.count < Self.mostDepth else { throw mistake("elements stand more than \(Self.mostDepth) deep") }
                stack.append((element, tag))
                return
            }
            if take("/>") { return add(element) }
            guard spaces > 0, place < bytes.count else { throw mistake("<\(tag) is not well formed") }
            let attribute = try name()
            _ = skipSpace()
            guard take("=") else { throw mistake("\(attribute) has no value") }
            _ = skipSpace()
            guard element.attributes.count < Self.mostAttributes else {
                throw mistake("<\(tag)> has more than \(Self.mostAttributes) attributes")
            }
            let value = try value()
            guard element.attributes.updateValue(value, forKey: attribute) == nil else {
                throw mistake("\(attribute) is there twice")
            }
        }
    }

    private mutating func close() throws(MarkupMistake) {
        place += 2
        let tag = try name()
        _ = skipSpace()
        guard take(">"), let last = stack.popLast(), last.tag == tag else { throw mistake("</\(tag)> closes nothing") }
        add(last.element)
    }

    private mutating func add(_ element: MarkupElement) {
        guard !stack.isEmpty else {
            root = element
            return
        }
        stack[stack.count - 1].element.children.append(element)
    }

    /// Customer of `edm:Customer`.
    private static func local(_ tag: String) -> String {
        tag.lastIndex(of: ":").map { String(tag[tag.index(after: $0)...]) } ?? tag
    }

    // MARK: Texts

    private mutating func text(upTo end: Int) throws(MarkupMistake) {
        let text = try decoded(place..<end)
        place = end
        try append(text)
    }

    private mutating func literal() throws(MarkupMistake) {
        place += 9
        let start = place
        try skip(to: "]]>")
        guard let text = String(validating: bytes[start..<(place - 3)], as: UTF8.self) else { throw mistake("it is not UTF-8") }
        try append(text)
    }

    private mutating func append(_ text: String) throws(MarkupMistake) {
        let words = text.drop { $0.isWhitespace }
        if words.isEmpty { return }
        guard !stack.isEmpty else { throw mistake("text stands outside of the document's element") }
        let end = words.lastIndex { !$0.isWhitespace } ?? words.startIndex
        stack[stack.count - 1].element.text += words[...end]
    }

    private mutating func value() throws(MarkupMistake) -> String {
        guard place < bytes.count, [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[place]) else {
            throw mistake("a value has no quotation mark")
        }
        let quote = bytes[place]
        place += 1
        guard let end = bytes[place...].firstIndex(of: quote) else { throw mistake("a value does not end") }
        let text = try decoded(place..<end)
        place = end + 1
        return text
    }

    /// With references put in.
    private func decoded(_ range: Range<Int>) throws(MarkupMistake) -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else { throw mistake("it is not UTF-8") }
        var scalars = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let start = rest.firstIndex(of: "&") {
            scalars += rest[..<start]
            let tail = rest[start...].prefix(Self.longestReference)
            guard let end = tail.firstIndex(of: ";"), let scalar = Self.scalar(String(rest[rest.index(after: start)..<end])) else {
                throw mistake("\(String(tail)) is no reference of XML")
            }
            scalars.append(scalar)
            rest = rest[rest.index(after: end)...]
        }
        scalars += rest
        return String(scalars)
    }

    private static func scalar(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
            return number.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
        }
    }

    // MARK: Bytes

    private func starts(_ text: String) -> Bool { bytes[place...].starts(with: text.utf8) }

    private mutating func take(_ text: String) -> Bool {
        guard starts(text) else { return false }
        place += text.utf8.count
        return true
    }

    private mutating func skip(to end: String) throws(MarkupMistake) {
        while place < bytes.count {
            if take(end) { return }
            place += 1
        }
        throw mistake("\(end) is missing")
    }

    /// - Returns: how many were skipped.
    private mutating func skipSpace() -> Int {
        let start = place
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
        return place - start
    }

    private mutating func name() throws(MarkupMistake) -> String {
        let start = place
        while place < bytes.count, !Self.endsName.contains(bytes[place]) { place += 1 }
        guard place > start, let name = String(validating: bytes[start..<place], as: UTF8.self) else {
            throw mistake("a name is missing")
        }
        return name
    }

    private static let endsName = Set(" \t\r\n/>=<\"'&".utf8)

    private func mistake(_ text: String) -> MarkupMistake {
        let line = 1 + bytes[..<min(place, bytes.count)].count { $0 == UInt8(ascii: "\n") }
        return MarkupMistake(text: "line \(line): \(text)")
    }
}
