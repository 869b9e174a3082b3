package import FoundationEssentials
import HubModel

extension Mapping {
    /// Writes the canonical document of a native one, nested, straight from its bytes: the same as
    /// ``translate(_:timeZone:)``, `nested()` and writing that, only faster. References hold the native key.
    /// After an error nothing has been written.
    package func encode(_ node: JSONNode, into writer: inout JSONWriter, timeZone: TimeZone? = nil) throws(TranslationError) {
        let failure = node.document.bytes.withUnsafeBufferPointer { bytes in
            node.document.tape.withUnsafeBufferPointer { tape -> TranslationError? in
                var run = EncodeRun(
                    document: node.document, bytes: bytes, tape: tape, timeZone: timeZone,
                    output: EncodeOutput(capacity: node.document.bytes.count + 512))
                do throws(TranslationError) {
                    try run.write(inbound, at: node.index)
                    writer.write(raw: run.output.written)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }
}

/// Bytes under construction, grown as needed and freed with this value.
struct EncodeOutput: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        if count == capacity { grow(by: 1) }
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ source: UnsafePointer<UInt8>, _ length: Int) {
        if count &+ length > capacity { grow(by: length) }
        (base + count).update(from: source, count: length)
        count &+= length
    }

    /// A comma, unless this is the first in its container.
    @inline(__always)
    mutating func separate() {
        if count > 0 {
            let last = base[count - 1]
            if last != 0x7B && last != 0x5B { append(0x2C) }
        }
    }

    @inline(never)
    private mutating func grow(by length: Int) {
        let larger = max(capacity * 2, count + length)
        let next = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        next.update(from: base, count: count)
        base.deallocate()
        base = next
        capacity = larger
    }
}

/// One document on its way through an ``EncodePlan``.
struct EncodeRun: ~Copyable {
    let document: JSONDocument
    let bytes: UnsafeBufferPointer<UInt8>
    let tape: UnsafeBufferPointer<UInt64>
    let timeZone: TimeZone?
    var output: EncodeOutput

    /// Writes the object that the plan makes of the value at a tape index.
    mutating func write(_ plan: EncodePlan, at index: Int) throws(TranslationError) {
        var failure: TranslationError?
        // The walk takes closures, which cannot carry this value's mutation and a typed error at once: both pass by pointer.
        withUnsafeMutablePointer(to: &self) { run in
            NativeWalk.run(plan.native, run.pointee.bytes, run.pointee.tape, index) { slots in
                plan.steps.withUnsafeBufferPointer { steps in
                    plan.pool.withUnsafeBufferPointer { pool in
                        plan.groups.withUnsafeBufferPointer { groups in
                            plan.rows.withUnsafeBufferPointer { rows in
                                do throws(TranslationError) {
                                    try run.pointee.write(plan, slots, steps, pool, groups, rows)
                                } catch {
                                    failure = error
                                }
                            }
                        }
                    }
                }
            }
        }
        if let failure { throw failure }
    }

    @inline(__always)
    private mutating func write(
        _ plan: EncodePlan, _ slots: UnsafeMutablePointer<Int32>, _ steps: UnsafeBufferPointer<EncodePlan.Step>,
        _ pool: UnsafeBufferPointer<UInt8>, _ groups: UnsafeBufferPointer<EncodePlan.Group>,
        _ rows: UnsafeBufferPointer<EncodePlan.Row>
    ) throws(TranslationError) {
        output.append(0x7B)
        guard let pool = pool.baseAddress else {
            output.append(0x7D)
            return
        }
        // The objects that are open: those of the last member written.
        var openStart = 0
        var openCount = 0
        for i in 0..<steps.count {
            let step = steps[i]
            var found = -1
            if step.slot >= 0 {
                found = Int(slots[Int(step.slot)])
                if found < 0 { continue }
                if step.index < 0, tape[found].tapeKind == .null { continue }
            }
            if step.groupCount != 0 || openCount != 0 {
                var common = 0
                while common < openCount, common < Int(step.groupCount),
                    groups[openStart + common].id == groups[Int(step.groupStart) + common].id
                { common += 1 }
                for _ in common..<openCount { output.append(0x7D) }
                for depth in common..<Int(step.groupCount) {
                    let group = groups[Int(step.groupStart) + depth]
                    output.separate()
                    output.append(pool + Int(group.nameStart), Int(group.nameLength))
                    output.append(0x7B)
                }
                openStart = Int(step.groupStart)
                openCount = Int(step.groupCount)
            }
            output.separate()
            output.append(pool + Int(step.nameStart), Int(step.nameLength))
            try write(plan, step, found, pool, rows)
        }
        for _ in 0..<openCount { output.append(0x7D) }
        output.append(0x7D)
    }

    @inline(__always)
    private mutating func write(
        _ plan: EncodePlan, _ step: EncodePlan.Step, _ found: Int, _ pool: UnsafePointer<UInt8>,
        _ rows: UnsafeBufferPointer<EncodePlan.Row>
    ) throws(TranslationError) {
        if step.action == .constant {
            let row = rows[Int(step.rowStart)]
            output.append(pool + Int(row.readyStart), Int(row.readyLength))
            return
        }
        let word = tape[found]
        let kind = word.tapeKind
        if kind.rawValue <= TapeKind.escapedString.rawValue, let base = bytes.baseAddress {
            let isString = kind == .string || kind == .escapedString
            let start = base + (isString ? word.tapePlace - 1 : word.tapePlace)
            let length = isString ? word.tapeLength + 2 : word.tapeLength
            for place in Int(step.rowStart)..<Int(step.rowStart + step.rowCount) {
                let row = rows[place]
                if Int(row.nativeLength) == length, NativeWalk.same(start, pool + Int(row.nativeStart), length) {
                    output.append(pool + Int(row.readyStart), Int(row.readyLength))
                    return
                }
            }
            // What is equal without being the same bytes (1 and 1.0, an escaped letter) has to go by way of values.
            let isPlain = step.rowCount == 0 || kind == .string
            if isPlain, copies(step, kind, start, length) { return }
        } else if kind == .array, step.action == .copy, step.rowCount == 0, let base = bytes.baseAddress {
            let start = word.tapePlace
            output.append(base + start, tape[word.tapeLength].tapePlace - start)
            return
        }
        try convert(plan, step, found)
    }

    /// Writes a scalar whose canonical bytes are (nearly) its native ones; false where that is not so.
    @inline(__always)
    private mutating func copies(_ step: EncodePlan.Step, _ kind: TapeKind, _ start: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        switch (step.action, kind) {
        case (.copy, _), (.text, .string), (.text, .escapedString), (.text, .null), (.integer, .null), (.decimal, .null),
            (.boolean, .null), (.date, .null), (.instant, .null), (.convert, .null), (.boolean, .true), (.boolean, .false):
            break
        case (.text, .number), (.integer, .number):
            guard isWhole(start, length) else { return false }
            if step.action == .text {
                output.append(0x22)
                output.append(start, length)
                output.append(0x22)
                return true
            }
        case (.decimal, .number):
            return copiesDecimal(Int(step.scale), start, length)
        case (.date, .string):
            guard length == 12, CalendarText.day(UnsafeBufferPointer(start: start + 1, count: 10)) != nil else { return false }
        case (.instant, .string):
            guard let read = CalendarText.moment(UnsafeBufferPointer(start: start + 1, count: length - 2)), read.isCanonical
            else { return false }
        default: return false
        }
        output.append(start, length)
        return true
    }

    /// Up to 18 digits and no sign of a fraction; minus zero is left to others.
    @inline(__always)
    private func isWhole(_ start: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        let isNegative = start[0] == 0x2D
        guard length <= 18, !(isNegative && start[1] == 0x30) else { return false }
        for place in (isNegative ? 1 : 0)..<length where start[place] &- 0x30 >= 10 { return false }
        return true
    }

    /// A number of few digits with no more decimals than the scale: copied, then filled up with zeros.
    @inline(__always)
    private mutating func copiesDecimal(_ scale: Int, _ start: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        if scale < 0 {
            output.append(start, length)
            return true
        }
        guard length + scale <= 18, start[0] != 0x2D || start[1] != 0x30 else { return false }
        var decimals = -1
        for place in 0..<length {
            let byte = start[place]
            if byte == 0x2E {
                decimals = length - place - 1
            } else if byte | 0x20 == 0x65 {
                return false
            }
        }
        guard decimals <= scale else { return false }
        output.append(start, length)
        if decimals < 0, scale > 0 {
            output.append(0x2E)
            decimals = 0
        }
        for _ in max(decimals, 0)..<scale { output.append(0x30) }
        return true
    }

    /// The way of values, and lists.
    @inline(never)
    private mutating func convert(_ plan: EncodePlan, _ step: EncodePlan.Step, _ found: Int) throws(TranslationError) {
        let node = JSONNode(document: document, index: found)
        if step.action == .list { return try write(list: plan.lists[Int(step.index)], plan.elements[Int(step.index)], node) }
        let field = step.index < 0 ? EncodePlan.idField : plan.fields[Int(step.index)]
        let json = try field.canonical(of: node.value, timeZone: timeZone).json
        json.withUnsafeBufferPointer { if let base = $0.baseAddress { output.append(base, $0.count) } }
    }

    private mutating func write(list: ListMapping, _ plan: EncodePlan, _ node: JSONNode) throws(TranslationError) {
        output.append(0x5B)
        if node.kind == .array {
            var at = node.index + 1
            let end = tape[node.index].tapeLength
            while at < end {
                guard tape[at].tapeKind == .object else {
                    throw list.error("an element that is no object", JSONNode(document: document, index: at).value)
                }
                output.separate()
                do throws(TranslationError) {
                    try write(plan, at: at)
                } catch {
                    throw list.placed(error)
                }
                at = tape[at].tapeNext(after: at)
            }
        } else {
            _ = try list.emptyList(node.value)
        }
        output.append(0x5D)
    }
}

extension EncodePlan {
    /// What an element's id is converted by.
    static let idField: FieldMapping = {
        var field = FieldMapping(name: ListMapping.idName)
        field.kind = .text
        return field
    }()
}
