import HubModel

/// What has to be written so that a document becomes what is wanted.
struct Change: Sendable {
    /// Odoo's members and values, for `write`.
    var members = Fields()
    /// The hub's names of what differs.
    var names: [String] = []

    var isEmpty: Bool { names.isEmpty }
}

extension OdooDriver {
    /// Compares what is wanted with what is there; lines that the wanted list lacks are removed.
    func change(
        _ type: NativeType, _ document: OdooDocument, to wanted: Fields
    ) async throws(ApplyFailure) -> Change {
        let model = try await known(type)
        var change = Change()
        for (name, value) in wanted {
            if let lines = type.lines, name == lines.name {
                let commands = try await commands(lines, model, document, value)
                if !commands.isEmpty {
                    change.members[name] = .array(commands)
                    change.names.append(name)
                }
                continue
            }
            guard let member = model.member(name) else { throw unknown(name, type) }
            try checked(member, value)
            let held = document.fields[name] ?? .null
            if member.isSame(held, value) { continue }
            if member.isReadOnly { throw .broken(Broken("read-only", name, "\(name) is Odoo's own and not written from outside.")) }
            change.members[name] = member.written(value, code: try await code(member, value))
            change.names.append(name)
        }
        return change
    }

    /// Odoo's commands for the lines: 0 adds, 1 changes, 2 removes.
    private func commands(
        _ lines: NativeType.Lines, _ model: Catalogue.Model, _ document: OdooDocument, _ wanted: Value
    ) async throws(ApplyFailure) -> [Value] {
        let elements = try elements(lines, wanted)
        var commands: [Value] = []
        for (id, fields) in elements {
            var held = document.line(id)
            if let line = held, isAnother(lines, model, line, fields) {
                commands.append([2, .number(Number(line.record)), 0])
                held = nil
            }
            let members = try await lineMembers(lines, model, fields, held: held?.fields)
            if let held {
                if let members { commands.append([1, .number(Number(held.record)), .object(members)]) }
            } else {
                guard model.hasLineMark else { throw .broken(Self.unprepared(lines)) }
                commands.append([0, 0, .object((members ?? Fields()).overlaid(with: [NativeType.lineMark: .string(id)]))])
            }
        }
        for line in document.lines ?? [] where !elements.contains(where: { $0.id.hasSameBytes(as: line.id) }) {
            commands.append([2, .number(Number(line.record)), 0])
        }
        return commands
    }

    /// Whether what is wanted under this line's id is another line.
    private func isAnother(_ lines: NativeType.Lines, _ model: Catalogue.Model, _ line: OdooDocument.Line, _ wanted: Fields) -> Bool {
        guard let name = lines.identity, let value = wanted[name], let member = model.lines.first(where: { $0.name == name }) else {
            return false
        }
        return !member.isSame(line.fields[name] ?? .null, value)
    }

    /// A line's members for `write`; nil where nothing differs. All of them, as Odoo works a price out again where only the quantity comes.
    private func lineMembers(
        _ lines: NativeType.Lines, _ model: Catalogue.Model, _ fields: Fields, held: Fields?
    ) async throws(ApplyFailure) -> Fields? {
        var members = Fields()
        var differs = false
        for (name, value) in fields where name != "id" {
            let member = try lineMember(lines, model, name, value)
            let isSame = held.map { member.isSame($0[name] ?? .null, value) } ?? false
            if member.isReadOnly {
                if isSame { continue }
                throw .broken(Broken("read-only", "\(lines.name).\(name)", "\(name) of a line is Odoo's own and not written from outside."))
            }
            if !isSame { differs = true }
            // It is the same, and may stand for a product as a whole.
            if held != nil, name == lines.identity { continue }
            // A new line without a price takes the list's.
            if held == nil, value.isNull { continue }
            members[name] = member.written(value, code: try await code(member, value))
        }
        return differs || held == nil ? members : nil
    }

    func lineMember(
        _ lines: NativeType.Lines, _ model: Catalogue.Model, _ name: String, _ value: Value
    ) throws(ApplyFailure) -> NativeMember {
        guard let member = model.lines.first(where: { $0.name == name }), name != NativeType.lineMark else {
            throw .broken(Broken("unknown-field", "\(lines.name).\(name)", "\(lines.model) has no member \(name) that the hub may write."))
        }
        do throws(Broken) { try member.check(value) } catch {
            var error = error
            error.rejection.field = "\(lines.name).\(name)"
            throw .broken(error)
        }
        return member
    }

    /// The lines with their ids, which have to be there and different.
    func elements(_ lines: NativeType.Lines, _ value: Value) throws(ApplyFailure) -> [(id: String, fields: Fields)] {
        if value.isNull { return [] }
        guard let array = value.array else { throw .broken(Broken("invalid-value", lines.name, "\(lines.name) is a list.")) }
        var result: [(id: String, fields: Fields)] = []
        for element in array {
            guard let fields = element.object, let id = fields["id"]?.keyText, !id.isEmpty, !id.utf8.contains(0) else {
                throw .broken(Broken("invalid-value", lines.name, "A line without an id cannot be found again."))
            }
            if result.contains(where: { $0.id.hasSameBytes(as: id) }) {
                throw .broken(Broken("invalid-value", lines.name, "Two lines have the id \(id)."))
            }
            result.append((id, fields))
        }
        return result
    }

    static func unprepared(_ lines: NativeType.Lines) -> Broken {
        Broken(
            "unprepared", lines.name,
            "This Odoo's \(lines.model) has no member \(NativeType.lineMark), which the hub needs to find a line again: prepare it first.")
    }

    // MARK: Members

    func known(_ type: NativeType) async throws(ApplyFailure) -> Catalogue.Model {
        do throws(OdooFailure) { return try await catalogue.model(type) } catch { throw .question(error) }
    }

    func checked(_ member: NativeMember, _ value: Value) throws(ApplyFailure) {
        do throws(Broken) { try member.check(value) } catch { throw .broken(error) }
    }

    func unknown(_ name: String, _ type: NativeType) -> ApplyFailure {
        .broken(Broken("unknown-field", name, "This Odoo's \(type.model) has no member \(name) that the hub may write."))
    }

    /// The number of a code's line; nil for anything else.
    func code(_ member: NativeMember, _ value: Value) async throws(ApplyFailure) -> Int64? {
        guard case .code(let model, let by) = member.kind, let text = value.text, !text.isEmpty else { return nil }
        let id: Int64?
        do throws(OdooFailure) { id = try await catalogue.id(text, model, by) } catch { throw .question(error) }
        guard let id else {
            throw .broken(Broken("unknown-code", member.name, "\(model) of this Odoo has no line with the \(by) \"\(text)\"."))
        }
        return id
    }
}
