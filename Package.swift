// swift-tools-version: 6.2
import PackageDescription

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let keptLogging: Target.Dependency = .product(name: "InMemoryLogging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

/// Attached applications: each a folder `drivers/<Name>` with the mappings that it brings along, and what it uses besides the SDK.
let drivers: [(name: String, mappings: [String], uses: [Target.Dependency])] = [
    ("ReferenceERP", ["erp-customer", "erp-product", "erp-order", "erp-invoice"], ["ReferenceApplication", grdb]),
    ("ReferenceCRM", ["crm-customer", "crm-product", "crm-order", "crm-invoice"], ["ReferenceApplication", grdb]),
    (
        "Tryton", ["tryton-customer", "tryton-product", "tryton-order", "tryton-invoice", "tryton-shipment", "tryton-account"],
        ["HTTPApplication"]
    ),
    (
        "Odoo",
        [
            "odoo-customer", "odoo-contact", "odoo-lead", "odoo-opportunity", "odoo-product", "odoo-pricelist", "odoo-quotation",
            "odoo-order",
            "odoo-invoice",
        ], ["HTTPApplication"]
    ),
    ("PostgreSQL", [], ["PostgresClient"]),
    ("Files", [], [grdb]),
]

/// Drivers that know their application's tables: `signal.tables` for the hub, `signal.sql` for whoever owns the database.
let signalled: Set = ["Tryton", "Odoo"]

/// Schemas of the ready-made applications' native types, in `schemas/<driver>`.
let schemas = [
    "reference-erp": ["partner", "article", "sales_order", "invoice"],
    "reference-crm": ["account", "item", "deal", "bill"],
    "tryton": ["party_party", "product_product", "sale_sale", "account_invoice", "stock_shipment_out", "party_account"],
    "odoo": ["res.partner", "product_variant", "sale.order", "account.move", "crm.lead", "product.pricelist"],
]

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], excluding excluded: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: excluded, swiftSettings: strict)
}

let package = Package(
    name: "multipoint",
    products: [
        .executable(name: "multipoint", targets: ["multipoint"]),
        .library(name: "HubDriver", targets: ["HubModel", "HubDriver"]),
        .library(name: "HubTestKit", targets: ["HubTestKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.81.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.26.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
    ],
    targets: [
        .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "CSpawn"),
        room("HubModel"),
        room("PostgresClient", ["CPostgres", "HubModel"]),
        room("HubDriver", ["HubModel", "HubCodec"]),
        room("HubTestKit", ["HubModel", "HubDriver"]),
        room("HubCodec", ["HubModel", yams]),
        room("HubBus", ["CRdKafka", "HubModel", logging]),
        room("HubStore", ["HubModel", "HubCodec", "PostgresClient", grdb, .product(name: "GRDBSQLite", package: "GRDB.swift")]),
        room("HubRules", ["HubModel", "HubCodec", "HubDriver", "HubStore"]),
        room("HubMediation", ["HubModel", "HubCodec", "HubDriver", "HubStore", "HubRules"]),
        room("HubDelivery", ["HubModel", "HubCodec", "HubDriver", "HubStore", "HubRules"]),
        room("HubConfiguration", ["HubModel", "HubDriver", "HubCodec", "HubStore", "HubRules", yams]),
        room(
            "HubRuntime",
            [
                "HubModel", "HubDriver", "HubCodec", "HubBus", "HubStore", "HubRules", "HubMediation", "HubDelivery", "HubConfiguration",
                logging,
            ]),
        room(
            "HubOperations",
            [
                "HubModel", "HubDriver", "HubCodec", "HubBus", "HubStore", "HubConfiguration", "HubRuntime", hummingbird, logging,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        room(
            "HubScenario",
            [
                "HubModel", "HubDriver", "HubCodec", "HubBus", "HubStore", "HubRules", "HubConfiguration", "HubSimulation",
                "ReferenceApplication", "ReferenceERP", "ReferenceCRM",
            ]),
        room("HubSimulation", ["HubModel", "HubDriver", "HubCodec", "HubStore", "HubRules", "HubMediation", "HubDelivery"]),
        .target(
            name: "BuiltinSchemas", path: "schemas", exclude: ["canonical", "protocol"],
            resources: schemas.sorted { $0.key < $1.key }.flatMap { driver, names in
                names.map { .embedInCode("\(driver)/\($0).schema.json") }
            }, swiftSettings: strict),
        .target(
            name: "ProcessDriver", dependencies: ["CSpawn", "HubDriver", "HubModel", logging], path: "drivers/Process",
            exclude: ["README.md"],
            swiftSettings: strict),
        .target(
            name: "DriverTemplates", path: "drivers/examples",
            exclude: [
                "real", "python/README.md", "python/driver", "python/mappings", "python/samples.json", "python/schemas",
                "python/service.py",
            ],
            resources: [.embedInCode("python/multipoint_driver.py")]
                + [
                    "python-driver.txt", "python-mapping.txt", "python-samples.txt", "python-hub.txt", "python-http.txt",
                    "python-readme.txt",
                    "swift-driver.txt", "swift-factory.txt", "swift-standin.txt", "swift-readme.txt", "swift-tests.txt",
                ].map { .embedInCode("templates/\($0)") }, swiftSettings: strict),
        .target(
            name: "REST", dependencies: ["HTTPApplication", "HubDriver", "HubModel"], path: "drivers/REST",
            exclude: ["README.md", "recipes"],
            swiftSettings: strict),
        .target(
            name: "ReferenceApplication", dependencies: ["HubDriver", "HubModel", grdb], path: "drivers/ReferenceApplication",
            swiftSettings: strict),
        .target(
            name: "HTTPApplication",
            dependencies: [
                "HubDriver", "HubModel", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
            ], path: "drivers/HTTPApplication", swiftSettings: strict),
    ]
        + drivers.map { driver in
            .target(
                name: driver.name, dependencies: ["HubDriver", "HubModel"] + driver.uses, path: "drivers/\(driver.name)",
                exclude: ["README.md"] + (signalled.contains(driver.name) || driver.name == "PostgreSQL" ? ["signal.sql"] : []),
                resources: driver.mappings.map { .embedInCode("mappings/\($0).yaml") }
                    + (signalled.contains(driver.name) ? [.embedInCode("signal.tables")] : []), swiftSettings: strict)
        } + [
            .executableTarget(
                name: "multipoint",
                dependencies: [
                    "HubModel", "HubDriver", "HubCodec", "HubBus", "HubStore", "HubRules", "HubMediation", "HubDelivery",
                    "HubConfiguration", "HubRuntime", "HubOperations", "HubSimulation", "HubScenario", "PostgresClient", "BuiltinSchemas",
                    "HubTestKit", "ProcessDriver", "REST", "DriverTemplates", "ReferenceApplication", "HTTPApplication", arguments,
                    logging,
                    histogram, grdb, hummingbird, .product(name: "HummingbirdCore", package: "hummingbird"),
                    .product(name: "AsyncHTTPClient", package: "async-http-client"),
                    .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
                    .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                ] + drivers.map { .target(name: $0.name) }, swiftSettings: strict),
            .target(
                name: "SignalTestKit", dependencies: ["PostgreSQL", "PostgresClient", "HubConfiguration", "HubDriver", "HubModel"],
                path: "Tests/SignalTestKit", swiftSettings: strict),
            tests("HubModelTests", ["HubModel"]),
            tests("HubCodecTests", ["HubCodec", "HubModel"]),
            tests("HubBusTests", ["HubBus", "HubModel", "CRdKafka"]),
            tests("PostgreSQLTests", ["PostgreSQL", "PostgresClient", "HubConfiguration", "HubTestKit", "HubDriver", "HubModel"]),
            tests("HubStoreTests", ["HubStore", "PostgresClient", "HubModel", "HubCodec", grdb]),
            tests("HubRulesTests", ["HubRules", "HubStore", "HubCodec", "HubDriver", "HubModel"]),
            tests("HubMediationTests", ["HubMediation", "HubRules", "HubStore", "HubCodec", "HubDriver", "HubModel"]),
            tests("HubDeliveryTests", ["HubDelivery", "HubMediation", "HubRules", "HubStore", "HubCodec", "HubDriver", "HubModel"]),
            tests("HubSimulationTests", ["HubSimulation", "HubRules"]),
            tests(
                "HubRuntimeTests",
                ["HubRuntime", "HubConfiguration", "HubBus", "HubStore", "HubRules", "HubDriver", "HubModel", logging, keptLogging]),
            tests(
                "HubOperationsTests",
                [
                    "HubOperations", "HubRuntime", "HubConfiguration", "HubBus", "HubStore", "HubRules", "HubCodec", "HubDriver",
                    "HubModel",
                    "ReferenceApplication", "ReferenceERP", "ReferenceCRM", logging,
                    .product(name: "AsyncHTTPClient", package: "async-http-client"), .product(name: "NIOCore", package: "swift-nio"),
                    .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                ]),
            tests("HubConfigurationTests", ["HubConfiguration", "HubRules", "HubStore", "HubCodec", "HubDriver", "HubModel"]),
            tests(
                "ReferenceDriversTests", ["ReferenceApplication", "ReferenceERP", "ReferenceCRM", "HubTestKit", "HubDriver", "HubModel"]),
            tests(
                "OdooTests",
                [
                    "Odoo", "PostgreSQL", "SignalTestKit", "HubTestKit", "HTTPApplication", "HubBus", "HubConfiguration", "HubOperations",
                    "HubRuntime", "HubStore", "HubDriver", "HubCodec", "HubModel", "Files", "TestHub",
                ]),
            tests(
                "ProcessDriverTests",
                ["ProcessDriver", "StandIns", "HubTestKit", "HubConfiguration", "HubCodec", "HubDriver", "HubModel", logging, keptLogging]),
            // Applications that several suites meet: strict services, the example's workshop, a hostile process.
            .target(
                name: "StandIns",
                dependencies: [
                    "HTTPApplication", "HubDriver", "HubModel", .product(name: "NIOCore", package: "swift-nio"),
                    .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                ], path: "Tests/StandIns", swiftSettings: strict),
            // A hub from a configuration file, for suites that run one with their drivers.
            .target(
                name: "TestHub",
                dependencies: ["HubRuntime", "HubConfiguration", "HubBus", "HubStore", "HubDriver", "HubModel", logging, keptLogging],
                path: "Tests/TestHub", swiftSettings: strict),
            tests(
                "HubTogetherTests",
                [
                    "TestHub", "StandIns", "HubRuntime", "HubConfiguration", "HubStore", "HubDriver", "HubModel", "PostgresClient",
                    "ReferenceApplication", "ReferenceCRM", "Files", "REST", "PostgreSQL", "ProcessDriver",
                    .product(name: "AsyncHTTPClient", package: "async-http-client"), .product(name: "NIOCore", package: "swift-nio"),
                    .product(name: "NIOHTTP1", package: "swift-nio"),
                ], excluding: ["mappings"]),
            tests("HubTestKitTests", ["HubTestKit", "HubDriver", "HubModel"]),
            tests(
                "TrytonTests",
                [
                    "Tryton", "PostgreSQL", "SignalTestKit", "HTTPApplication", "HubTestKit", "HubCodec", "HubDriver",
                    "HubModel",
                ]),
            tests(
                "RESTTests",
                [
                    "REST", "StandIns", "HTTPApplication", "HubTestKit", "HubCodec", "HubDriver", "HubModel",
                    .product(name: "NIOCore", package: "swift-nio"),
                    .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                ]),
            tests("FilesTests", ["Files", "HubTestKit", "HubDriver", "HubModel", grdb]),
            tests(
                "HTTPApplicationTests",
                [
                    "HTTPApplication", "HubDriver", "HubModel", .product(name: "NIOCore", package: "swift-nio"),
                    .product(name: "NIOEmbedded", package: "swift-nio"),
                ]),
            tests(
                "MultipointTests",
                [
                    "multipoint", "HubConfiguration", "HubModel", "HubStore", "HubBus", "HubDriver", "HubRules", "HubCodec",
                    "ReferenceApplication", "ReferenceERP", "ReferenceCRM", "StandIns", logging,
                ]),
        ]
)
