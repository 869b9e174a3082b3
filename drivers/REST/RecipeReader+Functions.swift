import HubDriver
import HubModel

extension RecipeReader {
    private enum Kind: String, CaseIterable { case text, decimal, date, company, document }

    /// One question.
    func function(_ name: String, _ entry: Declaration) throws(DriverError) -> FunctionRecipe {
        try entry.check(only: ["summary", "parameters", "method", "path", "body", "results", "asOf"])
        var parameters: [FunctionParameter] = []
        for (name, parameter) in try entry.optional("parameters")?.members() ?? [] {
            parameters.append(try self.parameter(name, parameter))
        }
        var results: [(String, Place)] = []
        var told: [FunctionResult] = []
        for (name, result) in try entry.member("results").members() {
            if result.isMap { try result.check(only: ["at", "help"]) }
            results.append((name, try place(result.isMap ? try result.member("at") : result)))
            told.append(FunctionResult(name, help: result.isMap ? try result.optional("help")?.text() ?? "" : ""))
        }
        if results.isEmpty { throw entry.mistake("results names nothing") }
        let method = try entry.optional("method")?.text() ?? "GET"
        let body = try entry.optional("body")
        if method == "GET", let body { throw body.mistake("a GET has none: say method: POST") }
        return FunctionRecipe(
            manifest: FunctionManifest(
                name: name, summary: try entry.optional("summary")?.text() ?? name, parameters: parameters, results: told),
            method: method, path: try template(try entry.member("path"), Set(parameters.map(\.name))), body: body?.value, results: results,
            asOf: try entry.optional("asOf").map(place))
    }

    /// `decimal`, or a map with `kind` or `reference`, `required` and `help`.
    private func parameter(_ name: String, _ entry: Declaration) throws(DriverError) -> FunctionParameter {
        guard entry.isMap else { return FunctionParameter(name, kind(try entry.word(Kind.self)), help: "") }
        try entry.check(only: ["kind", "reference", "required", "help"])
        let kind: FunctionParameter.Kind
        if let reference = try entry.optional("reference") {
            kind = .reference(EntityName(try reference.text()))
        } else {
            kind = self.kind(try entry.member("kind").word(Kind.self))
        }
        return FunctionParameter(
            name, kind, isRequired: try entry.optional("required")?.bool() ?? false, help: try entry.optional("help")?.text() ?? "")
    }

    private func kind(_ kind: Kind) -> FunctionParameter.Kind {
        switch kind {
        case .text: .text
        case .decimal: .decimal
        case .date: .date
        case .company: .company
        case .document: .document
        }
    }
}
