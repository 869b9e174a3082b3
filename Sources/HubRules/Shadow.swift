package import HubCodec
package import HubModel
package import HubStore

/// The algebra of *heard* and *written*: which told changes are echoes, and what remains to be written.
extension TargetState {
    /// *Heard* overlaid with the answered writes: what the application holds as far as is certain.
    package func base() -> Fields {
        written.reduce(heard?.fields ?? Fields()) { $1.isAnswered ? $0.overlaid(with: $1.fields) : $0 }
    }

    /// The golden fields that the application should hold and does not: golden against ``base()``, without what is disputed there.
    package func difference(to golden: GoldenRecord, under mapping: Mapping) -> Fields {
        let base = base()
        var hint = 0
        return golden.fields.filter { field in
            let held = base.value(of: field.name, hint: &hint)
            // The usual case first: it is so already.
            if leftOut.isEmpty, let held, held == field.value { return false }
            guard mapping.writes(field.name) else { return false }
            if let dispute = corrections[field.name]?.disputed, mapping.same(field.name, dispute, field.value) { return false }
            guard let wanted = possible(field, under: mapping) else { return false }
            guard let held else {
                // A document without the field is no different from one where it is empty.
                return !wanted.isNull
            }
            return held != wanted && !mapping.same(field.name, held, wanted)
        }
    }

    /// What can be written of a golden value: a list without the soft references that are left out until their documents are linked.
    /// Nil for a field that is such a reference itself.
    package func possible(_ field: Fields.Member, under mapping: Mapping) -> Value? {
        if leftOut.isEmpty { return field.value }
        if let id = leftOut[field.name] { return field.value.text?.hasSameBytes(as: id.rawValue) == true ? nil : field.value }
        guard let list = mapping.list(named: field.name), let elements = field.value.array else { return field.value }
        let missing = Set(leftOut.filter { $0.key.hasPrefix(field.name + "[") }.values)
        let references = list.fields.filter(\.isSoft).map { $0.name.split(separator: ".").map(String.init) }
        guard !missing.isEmpty else { return field.value }
        return .array(
            elements.map { element in
                guard var members = element.object else { return element }
                for path in references {
                    if let id = members[path: path]?.text, missing.contains(CanonicalID(id)) { members[path: path] = nil }
                }
                return .object(members)
            })
    }

    /// What a write of these values leaves in the application: all of it, but for soft references that are left out.
    package func effect(of values: Fields, creates: Bool, under mapping: Mapping) -> Fields {
        if leftOut.isEmpty { return values }
        return Fields(
            values.compactMap { field in
                if let value = possible(field, under: mapping) { return (field.name, value) }
                // A new document tells it as empty; one that is there keeps what it has.
                return creates ? (field.name, .null) : nil
            })
    }

    /// Finds which of the changed fields of an event are the hub's own writes, and retires those writes.
    ///
    /// - Parameters:
    ///   - changed: fields of `state` that differ from *heard*.
    ///   - state: the event's fields, references as canonical ids.
    ///   - isGone: the event tells that the document has been deleted.
    ///   - token: the event's version token; nil where the application has none.
    /// - Returns: for each echoed field the id of the write that it echoes.
    package mutating func matchEchoes(
        changed: [String], state: Fields, isGone: Bool, token: VersionToken?, under mapping: Mapping
    ) -> [String: Int64] {
        guard !written.isEmpty else { return [:] }
        var echoes: [String: Int64] = [:]
        var last = -1
        for field in changed {
            guard let told = state[field] else { continue }
            for (index, write) in written.enumerated() {
                guard let sent = write.fields[field], mapping.same(field, sent, told) else { continue }
                if write.token == nil || token == nil || write.token == token {
                    echoes[field] = write.id
                    if token == nil || write.token != nil { last = max(last, index) }
                }
                break
            }
        }
        for (index, write) in written.enumerated() {
            if isGone && write.isDelete { last = max(last, index) }
            if let token, let answered = write.token, answered <= token { last = max(last, index) }
        }
        var writes = written
        if heard == nil {
            // The create, heard for the first time: no update is sent before it is.
            writes = []
        } else if let token {
            // Past the token that a write was conditional on, that write cannot take effect any more.
            writes.removeAll { write in write.condition.map { $0 < token } ?? false }
            last = -1
        }
        if last >= 0 {
            for index in writes.indices where index <= last {
                let write = writes[index]
                writes[index].fields = write.token != nil ? Fields() : write.fields.filter { !changed.contains($0.name) }
            }
        }
        written = writes.filter { !$0.fields.isEmpty || $0.isDelete && !isGone }
        return echoes
    }

    /// Notes the answer to a write: its effect is certain now.
    package mutating func answered(_ id: Int64, token: VersionToken?) {
        guard let index = written.firstIndex(where: { $0.id == id }) else { return }
        if let token, let heardToken = heard?.token, heardToken >= token {
            // Its echo came before its answer.
            written.remove(at: index)
        } else {
            written[index].token = token
            written[index].isAnswered = true
        }
    }

    /// Forgets a write that certainly had no effect.
    package mutating func withdraw(_ id: Int64) {
        written.removeAll { $0.id == id }
    }

    /// An id for the next write, larger than any pending one and than the time.
    package func nextWriteID(_ now: Instant) -> Int64 {
        max(now.milliseconds, (written.map(\.id).max() ?? 0) + 1)
    }
}
