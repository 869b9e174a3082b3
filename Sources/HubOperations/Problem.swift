import HTTPTypes
import HubCodec
import HubModel
import Hummingbird
import HummingbirdCore
import NIOCore

/// Why a request was not carried out, as RFC 9457 has it (`application/problem+json`).
struct Problem: Error, Sendable {
    var status: HTTPResponse.Status
    /// The kind of problem, in a few words that never change.
    var title: String
    /// What exactly, and what to do.
    var detail: String
    /// The member, parameter or attribute at fault; nil where it is none.
    var member: String?
    /// Seconds after which trying again makes sense; nil where it does not.
    var retryAfter: Int?
    /// The request's body has not been read, and the connection is of no further use.
    var endsConnection = false

    init(_ status: HTTPResponse.Status, _ title: String, _ detail: String, member: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.title = title
        self.detail = detail
        self.member = member
        self.retryAfter = retryAfter
    }

    var response: Response {
        var fields: Fields = [
            "title": .string(title), "status": .number(Number(Int64(status.code))), "detail": .string(detail),
        ]
        fields["member"] = member.map { .string($0) }
        var response = Response(json: .object(fields), status: status)
        response.headers[.contentType] = "application/problem+json"
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if endsConnection { response.headers[.connection] = "close" }
        return response
    }
}

extension Response {
    /// A response with a JSON body.
    init(json value: Value, status: HTTPResponse.Status) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.json)))
    }
}
