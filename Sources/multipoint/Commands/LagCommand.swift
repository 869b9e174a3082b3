import ArgumentParser
import HubBus
import HubCodec
import HubConfiguration
import HubModel
import HubRules

/// `multipoint lag`
struct LagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lag",
        abstract: "Shows how far the hub's consumer groups are behind.",
        discussion: """
            Mediation reads the applications' topics; each application's delivery reads the canonical topics. Without a commit, all that \
            the broker holds counts as lag. The exit code is 1 where the broker has dropped records that a group had not read.

            On a Kafka cluster canonical topics are produced in transactions, and Kafka counts a transaction's end as an offset: the \
            delivery groups then show a lag of 1 in each partition that has been read to its end.

            Below stand the applications to which something is to be delivered, or nothing goes: `documents` are ready in the store, \
            `records` of their topics have not been taken up, and why says what the driver said of an application out of reach.

              multipoint lag
              multipoint lag --group acme.delivery.erp --partitions
            """)

    @OptionGroup var configuration: ConfigurationOptions
    @OptionGroup var logging: LoggingOptions

    @Option(help: "Only this consumer group.")
    var group: String?

    @Flag(help: "Every partition, not only the sum of each topic.")
    var partitions = false

    @Flag(help: "One JSON object per line.")
    var json = false

    @Option(help: "Seconds to wait for the broker.")
    var timeout = 10

    func run() async throws {
        logging.setUp()
        let configuration = try configuration.loadWithoutSecrets()
        let groups = try Self.groups(configuration, only: group)
        let bus = try configuration.busConfiguration()
        let plan = configuration.plan()
        let seconds = timeout
        let lags: [(group: String, lags: [PartitionLag])]
        let hasTransactions: Bool
        do throws(BusError) {
            (lags, hasTransactions) = try await Blocking.run { () throws(BusError) in
                let admin = try BusAdmin(bus)
                defer { admin.close() }
                var result: [(group: String, lags: [PartitionLag])] = []
                for (group, topics) in groups {
                    result.append((group, try admin.lag(group: group, topics: topics, deadline: .now + .seconds(seconds))))
                }
                return (result, try !admin.checkCluster(deadline: .now + .seconds(seconds)).isTestBroker)
            }
        } catch {
            throw CommandFailure(error)
        }
        let rows = lags.flatMap { group, lags in partitions ? Self.rows(group, lags) : Self.sums(group, lags) }
        let names = partitions ? ["group", "topic", "partition", "committed", "end", "lag", "gone"] : ["group", "topic", "lag", "gone"]
        Output.list(names, rows, json: json, nothing: "none of the hub's topics exists yet")
        let deliveries = Set(plan.applications.keys.map { plan.deliveryGroup($0) })
        if !json, hasTransactions, lags.contains(where: { deliveries.contains($0.group) && $0.lags.contains { $0.lag == 1 } }) {
            Output.note(
                "A lag of 1 in a partition of a delivery group is the end of a transaction or one record; see `multipoint lag --help`.")
        }
        await listBacklogs(configuration, lags)
        let gone = lags.flatMap(\.lags).reduce(0) { $0 + $1.gone }
        if gone > 0 { throw CommandFailure(.notWell, "the broker has dropped \(gone) records that had not been read") }
    }

    /// Applications to which something is to be delivered, or nothing goes.
    private func listBacklogs(_ configuration: Configuration, _ lags: [(group: String, lags: [PartitionLag])]) async {
        let plan = configuration.plan()
        let groups = Dictionary(uniqueKeysWithValues: lags.map { ($0.group, $0.lags) })
        let applications = configuration.applications.map(\.id).filter { groups[plan.deliveryGroup($0)] != nil }
        // Without a store the lag stands all the same: the hub may have its store elsewhere.
        guard !applications.isEmpty,
            let known = try? await StoreAccess.read(configuration, { store in try applications.map { try DeliveryBacklog($0, in: store) } })
        else { return }
        let rows = known.filter { !$0.isIdle }.map { backlog in
            var backlog = backlog
            backlog.records = groups[plan.deliveryGroup(backlog.application)]?.reduce(0) { $0 + $1.lag }
            return backlog.cells
        }
        guard !rows.isEmpty else { return }
        if !json { Output.line("") }
        Output.list(DeliveryBacklog.columns, rows, json: json, nothing: "")
    }

    /// Consumer groups with their topics, mediation first.
    static func groups(_ configuration: Configuration, only group: String?) throws(CommandFailure) -> [(String, [String])] {
        let plan = configuration.plan()
        var groups = [(plan.mediationGroup, configuration.applications.flatMap(\.inboundTopics).sorted())]
        for application in configuration.applications {
            groups.append((plan.deliveryGroup(application.id), application.mappings.map { plan.canonicalTopic($0.entity) }.sorted()))
        }
        guard let group else { return groups }
        let chosen = groups.filter { $0.0 == group }
        guard chosen.isEmpty else { return chosen }
        throw CommandFailure(.wrong, "the hub has no group \(group); it has \(groups.map(\.0).joined(separator: ", "))")
    }

    private static func rows(_ group: String, _ lags: [PartitionLag]) -> [[Value]] {
        lags.map { lag in
            [
                .string(group), .string(lag.partition.topic), number(Int64(lag.partition.partition)),
                lag.committed.map(number) ?? .null, number(lag.high), number(lag.lag), number(lag.gone),
            ]
        }
    }

    private static func sums(_ group: String, _ lags: [PartitionLag]) -> [[Value]] {
        Dictionary(grouping: lags, by: \.partition.topic).sorted { $0.key < $1.key }.map { topic, lags in
            [
                .string(group), .string(topic), number(lags.reduce(0) { $0 + $1.lag }), number(lags.reduce(0) { $0 + $1.gone }),
            ]
        }
    }

    private static func number(_ number: Int64) -> Value { .number(Number(number)) }
}
