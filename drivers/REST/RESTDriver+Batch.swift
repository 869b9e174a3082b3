import HTTPApplication
import HubDriver
import HubModel

/// Several writes in one request, in OData's JSON format (OData JSON 4.01, 19): each delivery's requests are a set that is done all or none.
extension RESTDriver {
    /// Applies deliveries in one request.
    func applyTogether(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        let matters = batch.allSatisfy { client.matters($0.operation, $0.native) }
        let result: Result<[Answer], CallFailure>
        do throws(CallFailure) {
            // Reads before and behind, at most one each, and the one request.
            result = .success(
                try await client.work(2 * batch.count + 1, matters: matters) { (permit) async throws(CallFailure) in
                    try await together(batch, permit)
                })
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let answers): return answers
        case .failure(let failure):
            guard let answer = failure.answer(hasEffect: false) else { throw failure.driverError }
            return batch.map { _ in answer }
        }
    }

    /// - Throws: where nothing of the whole batch has happened, or nothing is known of any of it.
    private func together(_ batch: [Delivery], _ permit: Permit) async throws(CallFailure) -> [Answer] {
        var answers: [Answer?] = []
        var writes: [(index: Int, write: Write)] = []
        for (index, delivery) in batch.enumerated() {
            do throws(CallFailure) {
                switch try await prepared(delivery, permit) {
                case .answer(let answer): answers.append(answer)
                case .write(let write):
                    writes.append((index, write))
                    answers.append(nil)
                }
            } catch {
                guard let answer = error.answer(hasEffect: false) else { throw error }
                answers.append(answer)
            }
        }
        if !writes.isEmpty {
            let results = try await sendTogether(writes.map(\.write), permit)
            for ((index, write), result) in zip(writes, results) {
                let progress = Progress()
                do throws(CallFailure) {
                    let replies = try result.get()
                    answers[index] = try await conclude(batch[index], write, replies, progress, permit)
                } catch {
                    // The one request has been answered: nothing can be said for the whole batch any more.
                    answers[index] =
                        error.answer(hasEffect: progress.hasEffect) ?? .later(after: .seconds(1), reason: error.driverError.message)
                }
            }
        }
        return answers.map { $0 ?? .noAnswer(reason: "the batch's answer does not speak of this document") }
    }

    /// Sends writes in one request.
    ///
    /// - Returns: for each write its requests' answers, or why there are none.
    func sendTogether(_ writes: [Write], _ permit: Permit) async throws(CallFailure) -> [Result<[HTTPReply], CallFailure>] {
        guard let batch = recipe.batch else { throw .misconfigured("the recipe declares no batch") }
        var requests: [Value] = []
        for (group, write) in writes.enumerated() {
            for (number, request) in write.requests.enumerated() {
                requests.append(element(request, "\(group).\(number)", group: write.requests.count > 1 ? "g\(group)" : nil))
            }
        }
        let headers = batch.headers + [HTTPCall.Header("Prefer", "odata.continue-on-error")]
        let body: Value = .object(["requests": .array(requests)])
        let reply = try await client.send(
            .init(method: "POST", path: try client.path(batch.path, [:]), headers: headers, body: body), permit)
        guard let responses = (try? reply.json())?["responses"]?.array else {
            throw .noAnswer("the batch's answer has no responses: \(reply.excerpt)")
        }
        var replies: [String: HTTPReply] = [:]
        for response in responses {
            guard let id = response["id"]?.keyText, let status = response["status"]?.integer else { continue }
            let headers = (response["headers"]?.object ?? Fields()).map { HTTPCall.Header($0.name, $0.value.keyText ?? "") }
            replies[id] = HTTPReply(status: status.asInt, headers: headers, body: response["body"].map { JSONText.bytes($0) } ?? [])
        }
        return writes.enumerated().map { group, write in
            let found = write.requests.indices.compactMap { replies["\(group).\($0)"] }
            // Of a set that was not done the request at fault may be the only one that is told.
            if found.count == write.requests.count || found.contains(where: { !$0.isSuccess }) {
                return .success(write.requests.indices.map { replies["\(group).\($0)"] ?? Self.untold })
            }
            return .failure(.noAnswer("the batch's answer does not speak of \(write.type.native)"))
        }
    }

    /// Stands for a request of a set that failed, of which the answer says nothing.
    private static let untold = HTTPReply(status: 424, headers: [], body: [])

    private func element(_ request: RESTClient.Request, _ id: String, group: String?) -> Value {
        var headers = Fields(request.headers.map { ($0.name, .string($0.value)) })
        var element: Fields = ["id": .string(id), "method": .string(request.method), "url": .string(client.root + request.path)]
        if let body = request.body {
            headers["Content-Type"] = .string(recipe.mediaType)
            element["body"] = body
        }
        if let group { element["atomicityGroup"] = .string(group) }
        element["headers"] = .object(headers)
        return .object(element)
    }

    // MARK: Lines

    /// The requests that make a document's lines equal to those wanted; lines that the wanted list lacks are removed.
    func lineRequests(
        _ lines: EntityRecipe.Lines, _ delivery: Delivery, _ document: Value, _ values: [String: String]
    ) throws(CallFailure) -> [RESTClient.Request] {
        let held = document[lines.member]?.array ?? []
        let wanted = delivery.fields[lines.member]?.array ?? []
        func key(_ line: Value) -> String? { lines.key.value(in: line)?.keyText }
        func request(_ operation: Operation, _ line: String?, _ body: Fields?, _ token: Value?) throws(CallFailure) -> RESTClient.Request {
            var values = values
            values["line"] = line
            let condition = token?.keyText.map { [HTTPCall.Header("If-Match", $0)] } ?? []
            return .init(
                method: operation.method, path: try client.path(operation.path, values),
                headers: client.headers(operation.headers, values) + condition,
                body: body.map { .object($0.overlaid(with: operation.constants)) })
        }
        var requests: [RESTClient.Request] = []
        for line in held where !wanted.contains(where: { key($0) == key(line) }) {
            requests.append(try request(lines.delete, key(line), nil, lines.token?.value(in: line)))
        }
        for line in wanted {
            guard let fields = line.object else { continue }
            guard let old = held.first(where: { key($0) == key(line) }), let members = old.object else {
                requests.append(try request(lines.create, nil, fields, nil))
                continue
            }
            let changed = fields.filter { !EntityRecipe.holds([$0.name: $0.value], in: members) }
            if !changed.isEmpty { requests.append(try request(lines.update, key(line), changed, lines.token?.value(in: old))) }
        }
        return requests
    }
}
