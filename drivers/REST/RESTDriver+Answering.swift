import HTTPApplication
package import HubDriver
import HubModel

extension RESTDriver {
    package func answer(_ question: Question) async throws(DriverError) -> FunctionReply {
        guard let function = recipe.functions.first(where: { $0.manifest.name == question.function }) else {
            return .cannotSay(reason: "the recipe declares no \(question.function)")
        }
        let asked = Instant.now
        do throws(CallFailure) {
            let request = try request(function, question)
            let reply = try await client.work(1, matters: client.matters(nil, question.function)) { (permit) async throws(CallFailure) in
                try await client.ask(request, permit)
            }
            return try Self.reply(function, try Self.json(reply), asked)
        } catch {
            switch error {
            case .refused(let rejection): return .refused(rejection)
            case .gone: return .refused(Rejection(rule: "not-found", text: "the application knows nothing by what was asked"))
            case .passing(_, let text), .busy(_, let text): return .cannotSay(reason: text)
            default: throw error.ofQuestion.driverError
            }
        }
    }

    private func request(_ function: FunctionRecipe, _ question: Question) throws(CallFailure) -> RESTClient.Request {
        var values: [String: String] = [:]
        for (name, value) in question.arguments { values[name] = value.keyText ?? JSONText.text(value) }
        if let company = question.company ?? companies.first { values["company"] = company }
        var arguments = question.arguments
        if let company = values["company"] { arguments["company"] = .string(company) }
        return .init(
            method: function.method, path: try client.path(function.path, values),
            body: function.body.flatMap { Self.filled($0, arguments) })
    }

    /// A body with its variables' values; members whose variable has none are left out.
    private static func filled(_ value: Value, _ arguments: Fields) -> Value? {
        switch value {
        case .string(let text) where text.hasPrefix("{") && text.hasSuffix("}"): arguments[String(text.dropFirst().dropLast())]
        case .object(let fields): .object(Fields(fields.compactMap { field in filled(field.value, arguments).map { (field.name, $0) } }))
        case .array(let elements): .array(elements.compactMap { filled($0, arguments) })
        default: value
        }
    }

    private static func reply(_ function: FunctionRecipe, _ answer: Value, _ asked: Instant) throws(CallFailure) -> FunctionReply {
        var fields = Fields()
        for (name, place) in function.results {
            if let value = place.value(in: answer) { fields[name] = value }
        }
        guard !fields.isEmpty else {
            return .cannotSay(reason: "the answer has none of what was asked for: \(JSONText.text(answer).prefix(100))")
        }
        let asOf = function.asOf?.value(in: answer)?.text.flatMap { MomentText.instant($0) } ?? asked
        return .says(fields, asOf: asOf)
    }
}
