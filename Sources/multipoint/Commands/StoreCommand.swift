import ArgumentParser
import HubConfiguration
import HubStore

/// `multipoint store …`
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Looks after the hub's store.", subcommands: [Backup.self])

    /// `multipoint store backup DEST`
    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies the store, while the hub runs or without it.",
            discussion: """
                The copy is one consistent state. An existing file is never overwritten.

                  multipoint store backup /backup/hub-2026-03-01.db
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Argument(help: "The file to make.", completion: .file())
        var destination: String

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            if let server = configuration.storeServer {
                throw CommandFailure(
                    .wrong, "the store \(PostgresStore.name(server.connection)) is backed up as its database is, with pg_dump")
            }
            let path = configuration.storePath
            let destination = destination
            do throws(StoreError) {
                try await Blocking.run { () throws(StoreError) in try SQLiteStore.backup(path, to: destination) }
            } catch {
                throw CommandFailure(error)
            }
            Output.line("\(path) is copied to \(destination)")
        }
    }
}
