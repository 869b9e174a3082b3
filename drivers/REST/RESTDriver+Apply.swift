import HTTPApplication
package import HubDriver
package import HubModel

extension RESTDriver {
    /// What one delivery has done so far: after a first effect a failure cannot say any more that nothing happened.
    final class Progress {
        var hasEffect = false
    }

    package func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        try await client.http.together { () async throws(DriverError) in try await applied(batch) }
    }

    private func applied(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        if recipe.batch != nil, batch.count > 1 { return try await applyTogether(batch) }
        var answers: [Answer] = []
        for delivery in batch {
            if Task.isCancelled {
                answers.append(.retry(after: .zero, reason: "the call was called off before this document's turn"))
                continue
            }
            answers.append(
                try await answer(isFirst: answers.isEmpty) { (progress) async throws(CallFailure) in
                    try await client.work(Self.requests, matters: client.matters(delivery.operation, delivery.native)) {
                        (permit) async throws(CallFailure) in try await done(delivery, progress, permit)
                    }
                })
        }
        return answers
    }

    /// An answer to one delivery, whatever happens.
    ///
    /// - Parameter isFirst: nothing of the batch has been done before.
    func answer(
        isFirst: Bool, _ body: (Progress) async throws(CallFailure) -> Answer
    ) async throws(DriverError) -> Answer {
        let progress = Progress()
        do throws(CallFailure) { return try await body(progress) } catch {
            if let answer = error.answer(hasEffect: progress.hasEffect) { return answer }
            // Nothing of this document happened. For the whole batch that holds only as long as nothing else has.
            if isFirst { throw error.driverError }
            return .later(after: .seconds(1), reason: error.driverError.message)
        }
    }

    /// The most requests that a delivery takes: a read or search, the write, and reading back.
    private static let requests = 3

    private func done(_ delivery: Delivery, _ progress: Progress, _ permit: Permit) async throws(CallFailure) -> Answer {
        switch try await prepared(delivery, permit) {
        case .answer(let answer): return answer
        case .write(let write):
            let replies: [HTTPReply]
            if write.requests.count == 1, let request = write.requests.first {
                replies = [try await client.reply(request, permit)]
            } else {
                replies = try await sendTogether([write], permit).first?.get() ?? []
            }
            return try await conclude(delivery, write, replies, progress, permit)
        }
    }

    // MARK: Before the write

    /// What has to be sent for a delivery, or its answer where nothing has.
    enum Prepared {
        case answer(Answer)
        case write(Write)
    }

    /// Requests that are done all or none.
    struct Write: Sendable {
        var type: EntityRecipe
        var operation: Operation
        var requests: [RESTClient.Request]
    }

    func prepared(_ delivery: Delivery, _ permit: Permit) async throws(CallFailure) -> Prepared {
        let type = try type(delivery.native)
        if let objection = type.objection(delivery) { return .answer(.rejected(objection)) }
        let operation =
            switch delivery.operation {
            case .create: type.create
            case .update: type.update
            case .delete: type.delete
            }
        guard let operation else {
            let text = "the recipe declares no \(delivery.operation.rawValue) of \(type.native)"
            return .answer(.rejected(Rejection(rule: "read-only", text: text)))
        }
        if delivery.operation == .create { return try await creation(type, operation, delivery, permit) }
        guard let key = delivery.key else { return .answer(.gone) }
        return try await change(type, operation, delivery, key, permit)
    }

    private func creation(
        _ type: EntityRecipe, _ operation: Operation, _ delivery: Delivery, _ permit: Permit
    ) async throws(CallFailure) -> Prepared {
        if operation.searchesFirst {
            let found = try await documents(type, referenced: delivery.reference, delivery.company, permit).filter { !$0.isDeleted }
            if found.count > 1 {
                let text = "\(found.count) documents carry the reference \(delivery.reference)"
                return .answer(.rejected(Rejection(rule: ErrorRecipe.otherRule, field: type.reference?.text, text: text)))
            }
            if let found = found.first { return .answer(.written(found)) }
        }
        let values = Self.values(company: delivery.company, reference: delivery.reference)
        var headers = client.headers(operation.headers, values)
        if operation.isOnce { headers.append(HTTPCall.Header("If-None-Match", "*")) }
        if let name = operation.idempotencyHeader { headers.append(HTTPCall.Header(name, delivery.reference.rawValue)) }
        let path = try client.path(operation.path, values)
        let request = RESTClient.Request(
            method: operation.method, path: path, headers: headers, body: type.body(operation, creating: delivery))
        return .write(Write(type: type, operation: operation, requests: [request]))
    }

    private func change(
        _ type: EntityRecipe, _ operation: Operation, _ delivery: Delivery, _ key: NativeKey, _ permit: Permit
    ) async throws(CallFailure) -> Prepared {
        let lines = delivery.operation == .update ? type.lines.flatMap { delivery.fields[$0.member] == nil ? nil : $0 } : nil
        var token = type.token == nil ? nil : delivery.expected?.token
        var present: (document: NativeDocument, value: Value)?
        // With a token the application itself compares; everywhere else the document is read and compared here.
        if token == nil || lines != nil || operation.body == .whole {
            guard let found = try await rawDocument(type, key, delivery.company, permit), !found.document.isDeleted else {
                return .answer(.gone)
            }
            if delivery.operation == .update, EntityRecipe.holds(delivery.fields, in: found.document.fields), token == nil {
                return .answer(.unchanged(found.document))
            }
            if let token, token != found.document.token { return .answer(.changed) }
            if token == nil, let expected = delivery.expected?.fields, !EntityRecipe.holds(expected, in: found.document.fields) {
                return .answer(.changed)
            }
            token = found.document.token
            present = found
        }
        var requests: [RESTClient.Request] = []
        var values = Self.values(company: delivery.company, key: key, reference: delivery.reference)
        values["token"] = token?.rawValue
        let plain = lines.map { lines in delivery.fields.filter { $0.name != lines.member } } ?? delivery.fields
        if lines == nil || !plain.isEmpty {
            let hasBody = operation.method != "DELETE"
            requests.append(
                .init(
                    method: operation.method, path: try client.path(operation.path, values),
                    headers: client.headers(operation.headers, values) + type.condition(token),
                    body: hasBody ? type.body(operation, updating: plain, present?.document, token) : nil))
        }
        if let lines, let present { requests += try lineRequests(lines, delivery, present.value, values) }
        if requests.isEmpty, let present { return .answer(.unchanged(present.document)) }
        return .write(Write(type: type, operation: operation, requests: requests))
    }

    // MARK: After the write

    /// The end of a delivery whose requests have been answered; the first failure counts.
    func conclude(
        _ delivery: Delivery, _ write: Write, _ replies: [HTTPReply], _ progress: Progress, _ permit: Permit
    ) async throws(CallFailure) -> Answer {
        for (request, reply) in zip(write.requests, replies) where !reply.isSuccess {
            // A set that was not done names the request at fault; the others only say that they depend on it.
            if reply.status == Self.failedDependency, replies.contains(where: { !$0.isSuccess && $0.status != Self.failedDependency }) {
                continue
            }
            let failure = recipe.errors.failure(reply, "\(request.method) \(request.path.prefix { $0 != "?" })", now: .now)
            return try await failed(delivery, write, failure, permit)
        }
        guard let reply = replies.first, replies.count == write.requests.count else {
            throw .noAnswer("\(write.type.native): \(replies.count) answers to \(write.requests.count) requests")
        }
        progress.hasEffect = true
        if delivery.operation == .delete, write.operation.method == "DELETE", let key = delivery.key {
            return .written(NativeDocument(key: key, reference: delivery.reference, isDeleted: true, fields: Fields()))
        }
        let document = try await readBack(delivery, write, reply, permit)
        if delivery.operation == .create { pace.made(document.key, Rhythm.feed(write.type.native, delivery.company)) }
        return .written(document)
    }

    private static let failedDependency = 424

    private func failed(
        _ delivery: Delivery, _ write: Write, _ failure: CallFailure, _ permit: Permit
    ) async throws(CallFailure) -> Answer {
        guard delivery.operation == .create else { throw failure }
        switch failure {
        case .changed where write.operation.isOnce:
            // It is there already, from an earlier try: what people made of it since stays.
            let found = try await documents(write.type, referenced: delivery.reference, delivery.company, permit)
            if let first = found.first(where: { !$0.isDeleted }) { return .written(first) }
            return .retry(after: .seconds(1), reason: "the application says that \(delivery.reference) is there, and does not find it")
        case .gone:
            return .rejected(Rejection(rule: "not-found", text: "something that \(write.type.native) refers to is not there"))
        default: throw failure
        }
    }

    /// The document as it stands after a write.
    private func readBack(
        _ delivery: Delivery, _ write: Write, _ reply: HTTPReply, _ permit: Permit
    ) async throws(CallFailure) -> NativeDocument {
        let value = write.operation.told((try? reply.json()) ?? .null)
        if write.operation.tells == .document, write.requests.count == 1, let value, value.object != nil {
            let document = try write.type.document(value, headers: reply.headers, hidden: recipe.hidden)
            if write.type.token == nil || document.token != nil { return document }
        }
        let key: NativeKey
        if let known = delivery.key {
            key = known
        } else if let told = value.flatMap({ write.type.key.value(in: $0)?.keyText }) {
            key = NativeKey(told)
        } else if let last = reply.header("Location")?.split(separator: "/").last, write.operation.tells == .location {
            key = NativeKey(HTTPCall.decoded(last))
        } else {
            let found = try await documents(write.type, referenced: delivery.reference, delivery.company, permit)
            guard let first = found.first, found.count == 1 else {
                throw .noAnswer("\(write.type.native) \(delivery.reference) was made, and \(found.count) are found")
            }
            return first
        }
        guard let document = try await document(write.type, key, delivery.company, permit) else {
            throw .noAnswer("\(write.type.native) \(key) is not there to be read back")
        }
        return document
    }
}
