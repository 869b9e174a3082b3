extension JSONNode {
    /// True where this object has a member of every name that the other has, and no value of the other is an object itself: laid over
    /// the other, nothing of that remains.
    package func covers(_ other: JSONNode) -> Bool {
        guard kind == .object, other.kind == .object else { return false }
        let theirs = other.document
        var at = other.index + 1
        let end = theirs.tape[other.index].tapeLength
        // Mostly both tell the same names in the same order.
        var mine = index + 1
        let last = document.tape[index].tapeLength
        while at < end {
            let name = theirs.tape[at]
            if theirs.tape[at + 1].tapeKind == .object { return false }
            if mine < last, document.hasSameBytes(document.tape[mine], as: name, in: theirs) {
                mine = document.tape[mine + 1].tapeNext(after: mine + 1)
            } else if self[theirs.text(at: name)] == nil {
                return false
            }
            at = theirs.tape[at + 1].tapeNext(after: at + 1)
        }
        return true
    }
}

extension JSONDocument {
    /// Whether two names are the same bytes without escapes.
    fileprivate func hasSameBytes(_ word: UInt64, as other: UInt64, in document: JSONDocument) -> Bool {
        guard word.tapeKind == .string, other.tapeKind == .string, word.tapeLength == other.tapeLength else { return false }
        return bytes.withUnsafeBufferPointer { a in
            document.bytes.withUnsafeBufferPointer { b in
                for i in 0..<word.tapeLength where a[word.tapePlace &+ i] != b[other.tapePlace &+ i] { return false }
                return true
            }
        }
    }
}
