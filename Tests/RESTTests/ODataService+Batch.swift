import HTTPApplication
import HubDriver
import HubModel

@testable import StandIns

/// Several requests in one; change sets are done whole or not at all.
extension ODataService {
    static func batch(_ request: Request, _ state: inout State) -> Response {
        guard request.method == "POST", request.headers["content-type"] == "application/json" else {
            return error(415, "BadRequest", "Only JSON.")
        }
        guard let requests = request.json?["requests"]?.array, requests.count <= 100 else {
            return error(400, "BadRequest", "No requests.")
        }
        let goesOn = request.headers["prefer"]?.contains("odata.continue-on-error") == true
        var responses: [Value] = []
        var at = 0
        while at < requests.count {
            let group = requests[at]["atomicityGroup"]?.text
            let end = group == nil ? at + 1 : requests[at...].firstIndex { $0["atomicityGroup"]?.text != group } ?? requests.count
            let before = state
            let answers = requests[at..<end].map { inner($0, request, &state) }
            let failed = answers.firstIndex { $0.status >= 300 }
            if group != nil, let failed {
                // A change set is done whole or not at all.
                state = before
                for (index, _) in answers.enumerated() {
                    let answer = index == failed ? answers[index] : error(424, "FailedDependency", "The change set was not done.")
                    responses.append(told(answer, requests[at + index]))
                }
            } else {
                for (index, answer) in answers.enumerated() { responses.append(told(answer, requests[at + index])) }
            }
            if failed != nil, !goesOn { break }
            at = end
        }
        return Response(200, ["responses": .array(responses)])
    }

    static func told(_ response: Response, _ request: Value) -> Value {
        var fields: Fields = ["id": request["id"] ?? .null, "status": .number(Number(Int64(response.status)))]
        fields["headers"] = .object(Fields(response.headers.map { ($0.key, .string($0.value)) }))
        if let body = response.body { fields["body"] = body }
        return .object(fields)
    }

    static func inner(_ value: Value, _ outer: Request, _ state: inout State) -> Response {
        guard let method = value["method"]?.text, let url = value["url"]?.text, let path = url.split(separator: "?").first,
            path.hasPrefix(root)
        else {
            return error(400, "BadRequest", "A request of the batch has no method or no address.")
        }
        var headers: [String: String] = ["host": outer.headers["host"] ?? ""]
        for (name, value) in value["headers"]?.object ?? Fields() { headers[name.lowercased()] = value.text }
        let body = value["body"].map { JSONText.bytes($0) } ?? []
        let request = Request(
            method: method, path: HTTPCall.decoded(path), query: Request.pairs(url.split(separator: "?").dropFirst().first ?? ""), uri: url,
            headers: headers, body: body)
        return routed(request, String(request.path.dropFirst(root.count)), &state)
    }
}
