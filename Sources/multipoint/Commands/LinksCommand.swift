import ArgumentParser
import HubCodec
import HubConfiguration
import HubModel
import HubStore

/// `multipoint links …`
struct LinksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "links",
        abstract: "Shows which documents of the applications are one and the same, and loads such knowledge.",
        subcommands: [List.self, Load.self], defaultSubcommand: List.self)

    /// `multipoint links list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists links between native keys and the hub's documents.",
            discussion: """
                  multipoint links list --application erp --entity customer
                  multipoint links list --limit 1000000 --json > links.ndjson
                """)

        @OptionGroup var configuration: ConfigurationOptions
        @OptionGroup var list: ListOptions

        @Option(help: "Only this application.")
        var application: String?

        @Option(help: "Only this entity.")
        var entity: String?

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            let application = try application == nil ? nil : configuration.choose(application).first
            let entity = entity.map { EntityName($0) }
            let limit = list.limit
            let links = try await StoreAccess.read(configuration) { transaction in
                try transaction.links(application: application, entity: entity, after: nil, limit: limit)
            }
            let rows = links.map { link -> [Value] in
                let reference = link.reference
                return [
                    .string(reference.application.rawValue), .string(reference.company.rawValue), .string(reference.entity.rawValue),
                    .string(reference.key.rawValue), .string(link.id.rawValue),
                ]
            }
            Output.list(LinkFile.columns, rows, json: list.json, nothing: "no links")
        }
    }

    /// `multipoint links load FILE`
    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Loads a table of keys that belong together, before the applications are attached.",
            discussion: """
                CSV with a head line, or one JSON object per line, with the columns application, entity, key, id and, for entities kept \
                per company, company. Rows with the same entity and id are the same document; the id may be any text of one's own, or \
                an id of the hub. All rows are loaded, or none. No hub may run meanwhile. Loading a file twice changes nothing.

                  application,entity,key,id
                  crm,customer,17,A
                  erp,customer,C-0042,A

                  multipoint links load customers.csv
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Argument(help: "The file; it is read twice.", completion: .file())
        var file: String

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            let file = file
            let counts = try await Blocking.run { () throws(CommandFailure) in
                let store = try StoreAccess.openAlone(configuration)
                defer { store.close() }
                do throws(StoreError) {
                    let plan = configuration.plan()
                    return try store.write { transaction in
                        var loader = LinkLoader(plan: plan)
                        for isFirst in [true, false] {
                            var rows = try LinkFile(file)
                            while let row = try rows.next() {
                                do throws(LinkLoader.Mistake) {
                                    if isFirst { try loader.note(row, transaction) } else { try loader.load(row, transaction) }
                                } catch {
                                    throw CommandFailure(.wrong, "line \(rows.line): \(error.text); nothing has been loaded")
                                }
                            }
                        }
                        return (loader.new, loader.known)
                    }
                } catch {
                    throw CommandFailure(error)
                }
            }
            Output.line("\(counts.0) link\(counts.0 == 1 ? "" : "s") loaded, \(counts.1) known already")
        }
    }
}
