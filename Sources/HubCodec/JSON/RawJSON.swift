/// The bytes of one JSON value, known to be that: kept, compared and copied without being read again.
package struct RawJSON: Sendable, Hashable {
    package let bytes: [UInt8]
    /// Equal for objects with the same members in the same order, nested ones included, within this process.
    private let shape: Int

    /// No value at all.
    package static let none = RawJSON(bytes: [], shape: 0)

    private init(bytes: [UInt8], shape: Int) {
        self.bytes = bytes
        self.shape = shape
    }

    package init(_ node: JSONNode) { self.init(bytes: Array(node.rawBytes), shape: node.shape) }

    /// Reads the text first.
    package init(_ text: String) throws(JSONError) { self.init(try JSONDocument.parse(text).root) }

    package var isEmpty: Bool { bytes.isEmpty }
    package var count: Int { bytes.count }

    /// The value, read again; nil where there is none.
    package var root: JSONNode? {
        // It has been read before: whatever limits held then hold now.
        bytes.isEmpty ? nil : try? JSONDocument.parse(bytes, limits: JSONLimits(maxBytes: .max, maxDepth: 100_000)).root
    }

    /// Whether both have the same members in the same order, so that one laid over the other is the one.
    package func hasShape(of other: RawJSON) -> Bool { shape == other.shape && !isEmpty && !other.isEmpty }

    package static func == (a: RawJSON, b: RawJSON) -> Bool { a.bytes == b.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension JSONNode {
    /// A number for the names and the nesting of an object's members, values left out; other for every run of the process, so that
    /// nobody outside can make two shapes meet.
    fileprivate var shape: Int {
        var hasher = Hasher()
        guard kind == .object else { return hasher.finalize() }
        document.combineShape(ofObjectAt: index, into: &hasher)
        return hasher.finalize()
    }
}

extension JSONDocument {
    /// Without recursion: objects within objects are walked through as the tape has them, arrays are passed over.
    fileprivate func combineShape(ofObjectAt start: Int, into hasher: inout Hasher) {
        let end = tape[start].tapeLength
        var at = start + 1
        bytes.withUnsafeBytes { raw in
            while at < end {
                let word = tape[at]
                guard word.tapeKind != .end else {
                    hasher.combine(UInt8(1))
                    at += 1
                    continue
                }
                hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: raw[word.tapePlace..<word.tapePlace + word.tapeLength]))
                hasher.combine(UInt8(0))
                let value = tape[at + 1]
                if value.tapeKind == .object {
                    hasher.combine(UInt8(2))
                    at += 2
                } else {
                    at = value.tapeNext(after: at + 1)
                }
            }
        }
    }
}
