package import HubModel

extension JSONNode {
    /// This and all below as a value; of repeated members the last.
    package var value: Value {
        let own = document.tape[index]
        switch own.tapeKind {
        case .null, .end: return .null
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .number: return .number(document.number(at: own))
        case .string, .escapedString: return .string(document.text(at: own))
        case .object, .array: return container
        }
    }

    /// Built without recursion.
    private var container: Value {
        var open: [Building] = []
        let tape = document.tape
        var at = index
        while true {
            let word = tape[at]
            var done: Value
            switch word.tapeKind {
            case .null: done = .null
            case .true: done = .bool(true)
            case .false: done = .bool(false)
            case .number: done = .number(document.number(at: word))
            case .string, .escapedString:
                let text = document.text(at: word)
                if let last = open.indices.last, open[last].isObject, open[last].name == nil {
                    open[last].name = text
                    at += 1
                    continue
                }
                done = .string(text)
            case .object, .array:
                open.append(Building(isObject: word.tapeKind == .object))
                at += 1
                continue
            case .end:
                guard let finished = open.popLast() else { return .null }
                done = finished.value
            }
            guard let last = open.indices.last else { return done }
            open[last].append(done)
            at += 1
        }
    }

    /// The members of an object; nil for any other kind.
    package var fields: Fields? { kind == .object ? value.object : nil }

    /// A container whose end has not come yet.
    private struct Building {
        let isObject: Bool
        var name: String?
        var members: [(String, Value)] = []
        var elements: [Value] = []

        mutating func append(_ value: Value) {
            if isObject {
                members.append((name ?? "", value))
                name = nil
            } else {
                elements.append(value)
            }
        }

        var value: Value {
            guard isObject else { return .array(elements) }
            // Fields inserts in order, which many members in disorder would make quadratic: sort those first.
            guard members.count > 32 else { return .object(Fields(members)) }
            let order = members.indices.sorted { a, b in
                if members[a].0.precedesInBytes(members[b].0) { return true }
                return a < b && members[a].0.hasSameBytes(as: members[b].0)
            }
            var fields = Fields()
            fields.reserveCapacity(members.count)
            for place in order { fields[members[place].0] = members[place].1 }
            return .object(fields)
        }
    }
}
