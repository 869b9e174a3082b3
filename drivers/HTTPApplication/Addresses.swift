import AsyncHTTPClient
import NIOHTTP1

/// Requests to addresses that were called lately, without headers and body: to take an address apart costs more than all else that is done
/// for a request, and most applications are called at a few.
struct Addresses {
    private struct Key: Hashable {
        var method: String
        var path: String
    }

    private var known: [Key: HTTPClient.Request] = [:]
    /// With more than these it begins anew.
    private static let most = 64
    /// Longer ones are questions that nobody asks twice, and are not kept.
    private static let longest = 256

    /// - Throws: where `base` and `path` together are no address.
    mutating func request(_ method: String, _ base: String, _ path: String) throws -> HTTPClient.Request {
        let key = Key(method: method, path: path)
        if let request = known[key] { return request }
        let request = try HTTPClient.Request(url: base + path, method: HTTPMethod(rawValue: method))
        guard path.utf8.count <= Self.longest else { return request }
        if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
        known[key] = request
        return request
    }
}
