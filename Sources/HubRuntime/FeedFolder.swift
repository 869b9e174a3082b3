import Foundation
package import HubConfiguration
import HubDriver
import HubModel

/// The folder beside the store in which the positions of the applications' feeds stand, with the name of the store that they belong to:
/// at another one, what lies before them would never be told again.
package struct FeedFolder: Sendable {
    let path: String
    private let store: String

    /// In no application's file: those end otherwise.
    private static let ownerFile = "store-id"

    package init(_ configuration: Configuration) {
        path = configuration.storePath + ".capture"
        store = configuration.storeServer == nil ? configuration.storePath : "the configured server"
    }

    private var ownerPath: String { path + "/" + Self.ownerFile }

    /// Makes it the folder of that store. One without an owner, as older hubs leave it, becomes that store's.
    ///
    /// - Parameter storeID: nil where there is no store yet.
    /// - Throws: `refused` where it belongs to another store.
    package func claim(for storeID: String?) throws(RuntimeError) {
        let owner = FileManager.default.contents(atPath: ownerPath).map { String(decoding: $0, as: UTF8.self) }
        if let owner {
            guard owner != storeID else { return }
            throw RuntimeError(
                .refused,
                "the positions in \(path) belong to another store than \(store) is now: what the applications' feeds told before would "
                    + "never be told again. Remove that folder, so that they are read from their beginning, or put its store back")
        }
        guard let storeID else { return }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try DurableFile.replace(ownerPath, with: Array(storeID.utf8))
        } catch {
            throw RuntimeError(.unreachable, "\(path) cannot be written: \(error)")
        }
    }

    /// How far that application's feed has been published.
    func position(of application: ApplicationID) throws -> FeedPosition {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return try FeedPosition(path: path + "/\(application).position")
    }
}
