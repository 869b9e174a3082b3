import HTTPTypes
import HubConfiguration

/// Finds out who makes a request, by the secret that it carries.
struct BearerTokens: Sendable {
    let tokens: [HTTPSettings.Token]

    /// The token whose secret this is; nil where it is nobody's.
    ///
    /// Takes the same time for every secret of a length, so that none can be found out byte by byte.
    func holder(of secret: some Collection<UInt8>) -> HTTPSettings.Token? {
        var found: HTTPSettings.Token?
        for token in tokens where Self.isSame(token.secret.utf8, secret) { found = token }
        return found
    }

    /// Compares all bytes, wherever the first difference stands.
    static func isSame(_ known: some Collection<UInt8>, _ given: some Collection<UInt8>) -> Bool {
        var difference: UInt8 = known.count == given.count ? 0 : 1
        for (a, b) in zip(known, given) { difference |= a ^ b }
        return difference == 0
    }

    /// - Throws: 401 where the request carries no token, or none that is known.
    func holder(_ headers: HTTPFields) throws(Problem) -> HTTPSettings.Token {
        guard let text = headers[.authorization] else {
            throw Problem(.unauthorized, "no token", "send the header Authorization: Bearer TOKEN")
        }
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer", let holder = holder(of: Substring(words[1]).utf8) else {
            throw Problem(.unauthorized, "unknown token", "the token is none of the hub's")
        }
        return holder
    }
}
