extension JSONDocument {
    /// The dotted paths of members whose name stands twice or more in one object (`address.city`, `lines.3.price`), each once,
    /// in document order; empty when none. Looked for when asked; the work grows with the document's length only.
    package var duplicateNames: [String] {
        var paths: [String] = []
        // Hashed with a seed of the process: nobody can choose names that collide.
        let seed = UInt64(truncatingIfNeeded: Hasher().finalize()) | 1
        for index in tape.indices where tape[index].tapeKind == .object {
            let found = repeatedNames(inObjectAt: index, seed: seed)
            if found.isEmpty { continue }
            let prefix = path(to: index)
            paths += found.map { prefix.isEmpty ? $0 : prefix + "." + $0 }
        }
        return paths
    }

    private func repeatedNames(inObjectAt index: Int, seed: UInt64) -> [String] {
        let end = tape[index].tapeLength
        var names: [UInt64] = []
        names.reserveCapacity(min((end - index) / 2, 256))
        var escaped = false
        var at = index + 1
        while at < end {
            names.append(tape[at])
            escaped = escaped || tape[at].tapeKind == .escapedString
            at = tape[at + 1].tapeNext(after: at + 1)
        }
        if names.count < 2 { return [] }
        return escaped ? repeatedTexts(names) : repeatedSlices(names, seed: seed)
    }

    /// Names without escapes: equal where their bytes are.
    private func repeatedSlices(_ names: [UInt64], seed: UInt64) -> [String] {
        var size = 8
        while size < names.count * 2 { size *= 2 }
        var repeated: [UInt64] = []
        bytes.withUnsafeBufferPointer { source in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: size) { table in
                table.initialize(repeating: 0)
                for word in names {
                    let place = word.tapePlace
                    let length = word.tapeLength
                    var hash = seed ^ UInt64(truncatingIfNeeded: length)
                    var at = place
                    let end = place + length
                    // Eight bytes at a time, the last of them together.
                    while at < end {
                        var part: UInt64 = 0
                        if end - at >= 8, let base = source.baseAddress {
                            part = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
                        } else {
                            for i in at..<end { part = part << 8 | UInt64(source[i]) }
                        }
                        let (high, low) = (hash ^ part).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
                        hash = high ^ low ^ seed
                        at += 8
                    }
                    var slot = Int(truncatingIfNeeded: hash) & (size - 1)
                    while table[slot] != 0 {
                        let other = table[slot]
                        if other.tapeLength == length,
                            (0..<length).allSatisfy({ source[other.tapePlace &+ $0] == source[place &+ $0] })
                        {
                            repeated.append(word)
                            break
                        }
                        slot = (slot + 1) & (size - 1)
                    }
                    // A string word is never zero: its kind is not.
                    if table[slot] == 0 { table[slot] = word }
                }
            }
        }
        return repeated.isEmpty ? [] : unique(repeated.map { text(at: $0) })
    }

    private func repeatedTexts(_ names: [UInt64]) -> [String] {
        var seen: Set<[UInt8]> = []
        return unique(names.map { text(at: $0) }.filter { !seen.insert(Array($0.utf8)).inserted })
    }

    private func unique(_ names: [String]) -> [String] {
        var seen: Set<[UInt8]> = []
        return names.filter { seen.insert(Array($0.utf8)).inserted }
    }

    /// The dotted path from the root to the value at `target`.
    private func path(to target: Int) -> String {
        var parts: [String] = []
        var at = 0
        while at < target, tape[at].isTapeContainer {
            let isObject = tape[at].tapeKind == .object
            var child = at + 1
            var position = 0
            while true {
                let value = isObject ? child + 1 : child
                let next = tape[value].tapeNext(after: value)
                if target < next {
                    parts.append(isObject ? text(at: tape[child]) : String(position))
                    at = value
                    break
                }
                child = next
                position += 1
            }
        }
        return parts.joined(separator: ".")
    }
}
