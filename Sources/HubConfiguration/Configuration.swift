package import FoundationEssentials
package import HubCodec
package import HubDriver
package import HubModel
package import HubRules

/// What a person configured, checked and resolved: secrets read, drivers made, mappings compiled.
package struct Configuration: Sendable {
    /// The file as it was named.
    package var file: String
    /// The hub's name: prefix of its topics and groups.
    package var hub: String
    package var bus: BusSettings
    /// The store's file, absolute; with a server, the path that the files beside the store (requests, positions) are named after.
    package var storePath: String
    /// The server that has the store; nil: it is the file.
    package var storeServer: StoreServer?
    package var companies: [CompanyID: Company]
    /// In the order of the file, which is also their rank: the first wins ties of time.
    package var applications: [ApplicationConfiguration]
    package var entities: [EntityPolicy]
    package var delivery: DeliveryTuning
    /// nil: the hub listens to nobody.
    package var http: HTTPSettings?

    /// One's own legal entity.
    package struct Company: Sendable {
        /// ISO 4217.
        package var currency: String
        package var timeZone: TimeZone

        package init(currency: String, timeZone: TimeZone) {
            self.currency = currency
            self.timeZone = timeZone
        }
    }

    /// A PostgreSQL server that has the store.
    package struct StoreServer: Sendable, Hashable {
        /// `postgresql://user@host/database`, as libpq takes it.
        package var connection: String
        /// nil: as the connection string, or libpq's password file, says.
        package var password: String?

        package init(connection: String, password: String? = nil) {
            self.connection = connection
            self.password = password
        }
    }

    /// How to reach Kafka.
    package struct BusSettings: Sendable {
        /// librdkafka's properties by their own names, in the order of the file; secrets resolved.
        package var properties: [BusProperty]
        /// The hub brings its own bus along (`bus: { embedded: true }`), for trying things out.
        package var isEmbedded: Bool
        /// Partitions of topics that are created, unless they exist.
        package var partitions: Int
        /// What to do where the broker has dropped records before they were read: stop for a person (`recordsGone: stop`), or go on with
        /// the oldest that is left (`continue`, the default). Either way the numbers are told and kept as an alarm.
        package var stopsWhenRecordsAreGone = false

        package init(properties: [BusProperty] = [], isEmbedded: Bool = false, partitions: Int = 4) {
            self.properties = properties
            self.isEmbedded = isEmbedded
            self.partitions = partitions
        }
    }

    /// One of librdkafka's properties.
    package struct BusProperty: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Bounds of delivery; the defaults of ``HubPlan`` where nothing is written.
    package struct DeliveryTuning: Sendable {
        package var correctionLimit: Int?
        package var correctionWindow: Duration?
        package var attemptLimit: Int?
        package var recheck: Duration?

        package init() {}
    }

    /// The application of that name; nil where there is none.
    package func application(_ id: ApplicationID) -> ApplicationConfiguration? { applications.first { $0.id == id } }

    /// The file in which a running hub with an embedded bus leaves its address (`host:port`), for other commands.
    package var embeddedAddressFile: String { storePath + ".bus" }

    /// The place where commands leave requests for a running hub.
    package var requests: OperatorRequests { OperatorRequests(storePath: storePath) }

    /// What takes the envelopes off all inbound records.
    package func envelopeDecoder(limits: JSONLimits = JSONLimits()) -> EnvelopeDecoder {
        let topics = applications.reduce(into: [:]) { $0.merge($1.envelopes) { _, last in last } }
        return EnvelopeDecoder(topics: topics, limits: limits)
    }

    /// Every company's time zone, for dates that applications keep as moments.
    package var timeZones: [CompanyID: TimeZone] { companies.mapValues(\.timeZone) }
}

/// One attached application.
package struct ApplicationConfiguration: Sendable {
    package var id: ApplicationID
    package var factory: any DriverFactory.Type
    /// Secrets resolved, paths absolute.
    package var settings: DriverSettings
    /// Made from ``settings``; has not touched the network yet.
    package var driver: any Driver
    /// Another driver, whose feed says which of the application's documents have changed; nil: the driver hears of that itself.
    package var signal: (any Capturing)?
    /// Types that change together with others, where ``signal`` knows of the others only.
    package var companions: [SignalMap.Companion] = []
    /// The driver's, within the limits configured; without the places that reads tell where there is a ``signal``.
    package var manifest: Manifest
    /// One per entity, of the entities that the hub exchanges.
    package var mappings: [Mapping]
    /// Native type → inbound topic; of all types that the mappings are for.
    package var topics: [String: String]
    /// Inbound topic → how its records are wrapped; of all topics.
    package var envelopes: [String: EnvelopeDeclaration]

    package var driverName: String { factory.name }

    /// Says who the application is, and how the signal does where there is one.
    package var probed: any Driver {
        if signal != nil, let signalled = capturing(driver) { return signalled }
        return driver
    }

    /// Hears of changes: the signal, with a driver of this application to read the documents, or that driver itself. nil where neither can.
    ///
    /// - Parameter driver: ``driver``, or what stands in for it.
    package func capturing(_ driver: any Driver) -> (any Capturing)? {
        guard let signal else { return driver as? any Capturing }
        return (driver as? any Driver & Reading).map {
            SignalledDriver(
                $0, signal: signal, companions: companions, natives: Set(topics.keys), companies: Set(settings.companies.values))
        }
    }

    /// Inbound topics, each once, by name.
    package var inboundTopics: [String] { Set(topics.values).sorted() }
}
