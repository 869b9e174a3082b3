/// All native paths of a mapping as one tree, so that one walk over a document's tape finds all their values.
///
/// Plain numbers in flat arrays: the walk touches no reference count.
struct NativePlan: Sendable {
    struct Entry {
        var nameStart: Int32
        var nameLength: Int32
        /// Where the value's tape index goes; -1 where only paths below are wanted.
        var slot: Int32
        /// The level below; -1 for none.
        var level: Int32
        /// The slots of all below, which a repeated member makes void.
        var firstBelow: Int32
        var endBelow: Int32
    }

    struct Level {
        var tableStart: Int32
        var mask: Int32
    }

    private(set) var names: [UInt8] = []
    private(set) var entries: [Entry] = []
    private(set) var levels: [Level] = []
    /// Open addressing: entry index + 1, or 0.
    private(set) var table: [Int32] = []
    private(set) var slotCount = 0
    private var slots: [[String]: Int] = [:]

    init(paths: [[String]]) {
        let root = Branch()
        for path in paths where !path.isEmpty { root.insert(path[...]) }
        _ = add(root, prefix: [])
    }

    /// The slot of a path given at the start.
    func slot(of path: [String]) -> Int? { slots[path] }

    private final class Branch {
        var below: [(name: String, branch: Branch)] = []
        var isWanted = false

        func insert(_ path: ArraySlice<String>) {
            guard let first = path.first else {
                isWanted = true
                return
            }
            let next: Branch
            if let known = below.first(where: { $0.name.utf8.elementsEqual(first.utf8) }) {
                next = known.branch
            } else {
                next = Branch()
                below.append((first, next))
            }
            next.insert(path.dropFirst())
        }
    }

    private mutating func add(_ branch: Branch, prefix: [String]) -> Int {
        let level = levels.count
        var size = 4
        while size < branch.below.count * 4 { size *= 2 }
        levels.append(Level(tableStart: Int32(table.count), mask: Int32(size - 1)))
        let start = table.count
        table += [Int32](repeating: 0, count: size)
        for (name, child) in branch.below {
            let path = prefix + [name]
            let index = entries.count
            let bytes = Array(name.utf8)
            entries.append(
                Entry(
                    nameStart: Int32(names.count), nameLength: Int32(bytes.count), slot: -1, level: -1, firstBelow: 0, endBelow: 0))
            names += bytes
            if child.isWanted {
                entries[index].slot = Int32(slotCount)
                slots[path] = slotCount
                slotCount += 1
            }
            entries[index].firstBelow = Int32(slotCount)
            if !child.below.isEmpty { entries[index].level = Int32(add(child, prefix: path)) }
            entries[index].endBelow = Int32(slotCount)
            var place = bytes.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { Int(truncatingIfNeeded: Self.hash($0, buffer.count)) } ?? 0
            }
            while table[start + (place & (size - 1))] != 0 { place += 1 }
            table[start + (place & (size - 1))] = Int32(index + 1)
        }
        return level
    }

    /// Mixes a name's length, beginning and end.
    @inline(__always)
    static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let raw = UnsafeRawPointer(bytes)
        var a: UInt64 = 0
        var b: UInt64 = 0
        if count >= 8 {
            a = raw.loadUnaligned(as: UInt64.self)
            b = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            a = UInt64(raw.loadUnaligned(as: UInt32.self))
            b = UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        } else if count > 0 {
            a = UInt64(bytes[0]) | UInt64(bytes[count / 2]) << 8 | UInt64(bytes[count - 1]) << 16
        }
        let mixed = (a ^ (b &* 0x9E37_79B9_7F4A_7C15) ^ UInt64(truncatingIfNeeded: count)) &* 0xD6E8_FEB8_6659_FD93
        return mixed >> 40
    }
}

/// A walk of a ``NativePlan`` over a document. Lives only while the arrays that it points into do.
struct NativeWalk {
    let bytes: UnsafePointer<UInt8>
    let tape: UnsafePointer<UInt64>
    let names: UnsafePointer<UInt8>
    let entries: UnsafePointer<NativePlan.Entry>
    let levels: UnsafePointer<NativePlan.Level>
    let table: UnsafePointer<Int32>

    /// Calls the body with a tape index per slot, -1 for paths that the value at `index` does not have.
    @inline(__always)
    static func run<R>(_ plan: NativePlan, _ document: JSONDocument, _ index: Int, _ body: (UnsafeMutablePointer<Int32>) -> R) -> R {
        document.bytes.withUnsafeBufferPointer { bytes in
            document.tape.withUnsafeBufferPointer { tape in
                run(plan, bytes, tape, index, body)
            }
        }
    }

    @inline(__always)
    static func run<R>(
        _ plan: NativePlan, _ bytes: UnsafeBufferPointer<UInt8>, _ tape: UnsafeBufferPointer<UInt64>, _ index: Int,
        _ body: (UnsafeMutablePointer<Int32>) -> R
    ) -> R {
        plan.names.withUnsafeBufferPointer { names in
            plan.entries.withUnsafeBufferPointer { entries in
                plan.levels.withUnsafeBufferPointer { levels in
                    plan.table.withUnsafeBufferPointer { table in
                        withUnsafeTemporaryAllocation(of: Int32.self, capacity: plan.slotCount + 1) { slots in
                            slots.initialize(repeating: -1)
                            // A temporary allocation of one word or more always has an address.
                            let slots = slots.baseAddress.unsafelyUnwrapped
                            if let bytes = bytes.baseAddress, let tape = tape.baseAddress, let names = names.baseAddress,
                                let entries = entries.baseAddress, let levels = levels.baseAddress, let table = table.baseAddress
                            {
                                NativeWalk(bytes: bytes, tape: tape, names: names, entries: entries, levels: levels, table: table)
                                    .find(at: index, level: 0, slots)
                            }
                            return body(slots)
                        }
                    }
                }
            }
        }
    }

    /// Recursion goes no deeper than the mapping's own paths.
    func find(at index: Int, level: Int, _ slots: UnsafeMutablePointer<Int32>) {
        let word = tape[index]
        let kind = word.tapeKind
        guard kind == .object || kind == .array else { return }
        let end = word.tapeLength
        var at = index + 1
        var position = 0
        while at < end {
            let value: Int
            let found: Int
            if kind == .object {
                value = at + 1
                let name = tape[at]
                if name.tapeKind == .string {
                    found = entry(bytes + name.tapePlace, name.tapeLength, level)
                } else {
                    found = resolvedEntry(name, level)
                }
            } else {
                value = at
                found = textEntry(String(position), level)
                position += 1
            }
            if found >= 0 {
                let entry = entries[found]
                if entry.slot >= 0 { slots[Int(entry.slot)] = Int32(truncatingIfNeeded: value) }
                if entry.level >= 0 {
                    for slot in Int(entry.firstBelow)..<Int(entry.endBelow) { slots[slot] = -1 }
                    find(at: value, level: Int(entry.level), slots)
                }
            }
            at = tape[value].tapeNext(after: value)
        }
    }

    @inline(__always)
    private func entry(_ name: UnsafePointer<UInt8>, _ length: Int, _ level: Int) -> Int {
        let mask = Int(levels[level].mask)
        let start = Int(levels[level].tableStart)
        var place = Int(truncatingIfNeeded: NativePlan.hash(name, length)) & mask
        while true {
            let found = Int(table[start + place])
            if found == 0 { return -1 }
            let entry = entries[found - 1]
            if Int(entry.nameLength) == length, Self.same(name, names + Int(entry.nameStart), length) { return found - 1 }
            place = (place + 1) & mask
        }
    }

    /// True where both hold the same bytes.
    @inline(__always)
    static func same(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let x = UnsafeRawPointer(a)
        let y = UnsafeRawPointer(b)
        if count >= 8 {
            var i = 0
            while i &+ 8 <= count {
                if x.loadUnaligned(fromByteOffset: i, as: UInt64.self) != y.loadUnaligned(fromByteOffset: i, as: UInt64.self) {
                    return false
                }
                i &+= 8
            }
            return x.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
                == y.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        }
        var i = 0
        while i < count {
            if a[i] != b[i] { return false }
            i &+= 1
        }
        return true
    }

    private func resolvedEntry(_ word: UInt64, _ level: Int) -> Int {
        let slice = UnsafeBufferPointer(start: bytes + word.tapePlace, count: word.tapeLength)
        return textEntry(String(unsafeUninitializedCapacity: slice.count) { JSONEscapes.resolve(slice, into: $0) }, level)
    }

    private func textEntry(_ text: String, _ level: Int) -> Int {
        var text = text
        return text.withUTF8 { buffer in
            // An empty name has no bytes to point at.
            var none: UInt8 = 0
            return buffer.baseAddress.map { entry($0, buffer.count, level) } ?? entry(&none, 0, level)
        }
    }
}
