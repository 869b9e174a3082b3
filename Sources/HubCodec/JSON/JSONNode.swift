package import HubModel

/// One value inside a ``JSONDocument``, decoded only as far as it is asked.
package struct JSONNode: Sendable {
    /// What a node is.
    package enum Kind: Sendable, Hashable {
        case null, bool, number, string, array, object
    }

    package let document: JSONDocument
    /// The node's word on the tape.
    let index: Int

    init(document: JSONDocument, index: Int) {
        self.document = document
        self.index = index
    }

    private var word: UInt64 { document.tape[index] }

    package var kind: Kind {
        switch word.tapeKind {
        case .null, .end: .null
        case .true, .false: .bool
        case .number: .number
        case .string, .escapedString: .string
        case .object: .object
        case .array: .array
        }
    }

    package var isNull: Bool { kind == .null }

    /// The truth value; nil for any other kind.
    package var bool: Bool? {
        switch word.tapeKind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The number as written; nil for any other kind.
    package var number: Number? { word.tapeKind == .number ? document.number(at: word) : nil }

    /// The whole number that this is exactly; nil for any other kind or where it does not fit 64 bits.
    package var integer: Int64? { number?.integer }

    /// The text, escapes resolved; nil for any other kind.
    package var string: String? { word.isTapeString ? document.text(at: word) : nil }

    /// What a key looks like as text: strings as they are, whole numbers in digits; nil for anything else.
    package var keyText: String? { string ?? number.flatMap { Value.number($0).keyText } }

    /// The node as it stands in the document: a string with its quotes, an object with its braces.
    package var rawBytes: ArraySlice<UInt8> { document.bytes[document.range(of: index)] }

    /// True where this is a string of exactly these UTF-8 bytes.
    package func isText(_ text: String) -> Bool { word.isTapeString && document.hasText(text, at: word) }

    /// The member of that name, the last one where it is repeated; nil where there is none or this is no object.
    package subscript(name: String) -> JSONNode? {
        guard word.tapeKind == .object else { return nil }
        let end = word.tapeLength
        var found: Int?
        var at = index + 1
        while at < end {
            if document.hasText(name, at: document.tape[at]) { found = at + 1 }
            at = document.tape[at + 1].tapeNext(after: at + 1)
        }
        return found.map { JSONNode(document: document, index: $0) }
    }

    /// The node at a path through nested objects.
    package subscript(path path: some Sequence<String>) -> JSONNode? {
        var node = self
        for name in path {
            guard let next = node[name] else { return nil }
            node = next
        }
        return node
    }

    /// The members of an object in document order, repeated ones included; empty for any other kind.
    package var members: Members { Members(document: document, at: index + 1, end: word.tapeKind == .object ? word.tapeLength : 0) }
    /// The elements of an array in order; empty for any other kind.
    package var elements: Elements { Elements(document: document, at: index + 1, end: word.tapeKind == .array ? word.tapeLength : 0) }

    /// Names and nodes of an object.
    package struct Members: Sequence, IteratorProtocol, Sendable {
        let document: JSONDocument
        var at: Int
        let end: Int

        package mutating func next() -> (name: String, node: JSONNode)? {
            guard at < end else { return nil }
            let name = document.text(at: document.tape[at])
            let node = JSONNode(document: document, index: at + 1)
            at = document.tape[at + 1].tapeNext(after: at + 1)
            return (name, node)
        }
    }

    /// The nodes of an array.
    package struct Elements: Sequence, IteratorProtocol, Sendable {
        let document: JSONDocument
        var at: Int
        let end: Int

        package mutating func next() -> JSONNode? {
            guard at < end else { return nil }
            let node = JSONNode(document: document, index: at)
            at = document.tape[at].tapeNext(after: at)
            return node
        }
    }
}

extension JSONDocument {
    /// The bytes of the value whose tape word stands at `index`.
    func range(of index: Int) -> Range<Int> {
        let word = tape[index]
        let place = word.tapePlace
        switch word.tapeKind {
        case .string, .escapedString: return place - 1..<place + word.tapeLength + 1
        case .object, .array: return place..<tape[word.tapeLength].tapePlace
        default: return place..<place + word.tapeLength
        }
    }

    func number(at word: UInt64) -> Number {
        bytes.withUnsafeBytes { source in
            // The reader has checked the text; zero stands for what cannot happen.
            Number(json: UnsafeRawBufferPointer(rebasing: source[word.tapePlace..<word.tapePlace + word.tapeLength])) ?? 0
        }
    }

    func text(at word: UInt64) -> String {
        bytes.withUnsafeBufferPointer { source in
            let slice = UnsafeBufferPointer(rebasing: source[word.tapePlace..<word.tapePlace + word.tapeLength])
            if word.tapeKind == .string { return String(decoding: slice, as: UTF8.self) }
            return String(unsafeUninitializedCapacity: slice.count) { JSONEscapes.resolve(slice, into: $0) }
        }
    }

    /// True where the string at `word` is exactly this text.
    func hasText(_ text: String, at word: UInt64) -> Bool {
        if word.tapeKind == .string {
            guard word.tapeLength == text.utf8.count else { return false }
            let place = word.tapePlace
            return bytes.withUnsafeBufferPointer { source in
                var i = place
                for byte in text.utf8 {
                    if source[i] != byte { return false }
                    i += 1
                }
                return true
            }
        }
        // Escapes only ever shorten a text.
        guard word.tapeLength >= text.utf8.count else { return false }
        return self.text(at: word).hasSameBytes(as: text)
    }
}
