import HTTPApplication
package import HubDriver
package import HubModel

extension OdooDriver {
    package func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        try await client.http.together { () async throws(DriverError) in try await applied(batch) }
    }

    private func applied(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        var answers: [Answer] = []
        var isBegun = false
        for delivery in batch {
            if Task.isCancelled {
                answers.append(.retry(after: .zero, reason: "the call was called off before this document's turn"))
                continue
            }
            var progress = Progress()
            do throws(ApplyFailure) {
                answers.append(try await done(delivery, &progress))
            } catch {
                if let answer = progress.answer(error) {
                    answers.append(answer)
                } else if case .odoo(let failure) = error {
                    // Nothing of this document happened. For the whole batch that holds only as long as nothing else has.
                    if !isBegun { throw failure.driverError }
                    answers.append(.later(after: .seconds(1), reason: failure.driverError.message))
                }
            }
            isBegun = true
        }
        return answers
    }

    private func done(_ delivery: Delivery, _ progress: inout Progress) async throws(ApplyFailure) -> Answer {
        guard let type = NativeType.named(delivery.native) else {
            throw .broken(Broken("unknown-field", nil, "The driver knows no \(delivery.native)."))
        }
        if type.isReadOnly { throw .broken(Broken("read-only", nil, "\(type.model) is Odoo's own and never written from outside.")) }
        let company = company(delivery.company)
        if delivery.operation == .create { return try await create(type, delivery, company, &progress) }
        guard let id = delivery.key.flatMap({ Int64($0.rawValue) }) else { return .gone }
        guard let document = try await now(type, id, company) else {
            let left: Int64?
            do throws(OdooFailure) { left = try await survivor(type, id) } catch { throw .question(error) }
            guard let left else { return .gone }
            throw .broken(Broken("merged", nil, "People have merged \(type.model) \(id) into \(left)."))
        }
        let isDeleted = type.isArchived && document.isArchived
        if delivery.operation == .delete {
            if isDeleted { return .unchanged(document.told(type)) }
            guard try await isExpected(type, document, delivery) else { return .changed }
            return try await delete(type, document, company, &progress)
        }
        if isDeleted { return .gone }
        var change = try await change(type, document, to: delivery.fields)
        try await link(type, document, &change)
        // Sent before, or done by someone else: whatever was expected, nothing is left to do.
        if change.isEmpty { return .unchanged(document.told(type)) }
        guard try await isExpected(type, document, delivery) else { return .changed }
        return try await update(type, document, change, company, &progress)
    }

    /// Whether the document is as the hub last heard it, in the members that it writes. There is no version token.
    private func isExpected(_ type: NativeType, _ document: OdooDocument, _ delivery: Delivery) async throws(ApplyFailure) -> Bool {
        guard let expected = delivery.expected?.fields, !expected.isEmpty else { return true }
        let model = try await known(type)
        for (name, value) in expected {
            if let lines = type.lines, name == lines.name {
                guard let elements = try? elements(lines, value), elements.count == document.lines?.count else { return false }
                for (id, fields) in elements {
                    guard let held = document.line(id) else { return false }
                    for (name, value) in fields where name != "id" {
                        guard let member = model.lines.first(where: { $0.name == name }) else { continue }
                        if !member.isSame(held.fields[name] ?? .null, value) { return false }
                    }
                }
            } else if let member = model.member(name), !member.isSame(document.fields[name] ?? .null, value) {
                return false
            }
        }
        return true
    }

    private func now(_ type: NativeType, _ id: Int64, _ company: Int64?) async throws(ApplyFailure) -> OdooDocument? {
        do throws(OdooFailure) { return try await documents(type, [id], company: company).first } catch { throw .question(error) }
    }

    // MARK: Update

    private func update(
        _ type: NativeType, _ document: OdooDocument, _ change: Change, _ company: Int64?, _ progress: inout Progress
    ) async throws(ApplyFailure) -> Answer {
        try await write(type, document.id, change.members, company)
        progress.hasEffect = true
        await tell(change, type, document.id, company)
        return .written(try await readBack(type, document.id, company).told(type))
    }

    private func write(_ type: NativeType, _ id: Int64, _ members: Fields, _ company: Int64?) async throws(ApplyFailure) {
        do throws(OdooFailure) { try await client.write(type.model, id, members, company: company) } catch {
            // The document itself went between read and write; anything else that is missing is a reference.
            if case .refused(let refusal) = error, refusal.isMissing, refusal.message.contains("\(type.model)(\(id),") {
                throw .answer(.gone)
            }
            throw .odoo(error)
        }
    }

    /// Puts a refusal and a link into the document's thread, where salespeople look. The members themselves are tracked there by Odoo, so
    /// that a note may be lost with the connection without anything being hidden.
    private func tell(_ change: Change, _ type: NativeType, _ id: Int64, _ company: Int64?) async {
        var notes: [(text: String, isHTML: Bool)] = []
        if let refusal = change.members[Self.refusalMember]?.text, !refusal.isEmpty {
            notes.append(("The order was refused: \(refusal)", false))
        }
        if let address = change.members[DocumentLink.member]?.text, !address.isEmpty { notes.append((DocumentLink.html(address), true)) }
        for note in notes {
            let arguments: Fields = ["ids": OdooClient.keys([id]), "body": .string(note.text), "body_is_html": .bool(note.isHTML)]
            _ = try? await client.call(type.model, "message_post", arguments, company: company)
        }
    }

    /// The order's member for the words of a refusal.
    static let refusalMember = "x_hub_refusal"

    func readBack(_ type: NativeType, _ id: Int64, _ company: Int64?) async throws(ApplyFailure) -> OdooDocument {
        guard let document = try await now(type, id, company) else {
            throw .odoo(.noAnswer("\(type.model) \(id) is not there to be read back"))
        }
        return document
    }

    // MARK: Delete

    private func delete(
        _ type: NativeType, _ document: OdooDocument, _ company: Int64?, _ progress: inout Progress
    ) async throws(ApplyFailure) -> Answer {
        switch type.delete {
        case .archives:
            try await write(type, document.id, ["active": false], company)
            progress.hasEffect = true
            return .written(try await readBack(type, document.id, company).told(type))
        case .removes:
            do throws(OdooFailure) {
                _ = try await client.call(type.model, "unlink", ["ids": OdooClient.keys([document.id])], company: company)
            } catch { throw .odoo(error) }
            progress.hasEffect = true
            return .written(NativeDocument(key: NativeKey(String(document.id)), isDeleted: true, fields: document.fields))
        case .refuses:
            // Orders are records of what was agreed; Odoo itself deletes none that is confirmed.
            throw .broken(Broken("kept", nil, "Orders stay in Odoo: cancel \(document.fields["name"]?.text ?? "it") there."))
        }
    }
}
