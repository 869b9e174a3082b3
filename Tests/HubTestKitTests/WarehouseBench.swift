import HubDriver
import HubModel
import HubTestKit

/// The warehouse's driver as its author would have it tried.
struct WarehouseBench: DriverBench {
    var profile = Profile()
    var defect: Defect?
    var mapped: [String] = []
    let warehouse = Warehouse()
    let wire = Wire()

    var faults: any FaultInjector { wire }

    func makeDriver() async throws -> any Driver {
        let driver = WarehouseDriver(warehouse: warehouse, wire: wire, profile: profile, defect: defect)
        return defect == .withoutLookUp ? BlindDriver(base: driver) : driver
    }

    var samples: [Sample] {
        let warehouse = warehouse
        let sample = Sample("item") { mark in
            ["name": .string("Item \(mark)"), "city": "Lyon", "price": .number(Number(1050, scale: 2))]
        } change: { mark in
            ["city": .string("City \(mark)")]
        }
        return [
            sample.with([.text("name"), .decimal("price", scale: 2), .date("since")]).with(breaches).altered { sample in
                sample.mapped = mapped
                sample.edit = { key, mark in
                    try warehouse.update(Int(key.rawValue) ?? 0, ["note": .string(mark)], version: nil)
                    return ["note": .string(mark)]
                }
                sample.whileBusy = { key, body in
                    warehouse.setBusy(Int(key.rawValue) ?? 0, true)
                    defer { warehouse.setBusy(Int(key.rawValue) ?? 0, false) }
                    try await body()
                }
            }
        ]
    }

    var questions: [QuestionSample] {
        if defect == .withoutLookUp { return [] }
        let warehouse = warehouse
        let sample = QuestionSample("price", unknown: ["product": "999999"]) {
            let key = try warehouse.create(["name": "Priced", "price": .number(Number(1050, scale: 2))], nil)
            return ["product": .string(String(key)), "quantity": 3]
        }
        return [sample]
    }

    private var breaches: [Breach] {
        let warehouse = warehouse
        return [
            Breach("missing-name") { delivery, _ in delivery.fields["name"] = .null },
            Breach("duplicate-code") { delivery, mark in
                _ = try warehouse.create(["name": "first", "code": .string(mark)], nil)
                delivery.fields["code"] = .string(mark)
            },
            Breach("negative-price", on: .update) { delivery, _ in delivery.fields["price"] = -1 },
            Breach("in-use", on: .delete) { delivery, _ in
                let key = delivery.key.flatMap { Int($0.rawValue) } ?? 0
                try warehouse.update(key, ["note": "in use"], version: nil)
                delivery.expected?.token = warehouse.item(key).map { VersionToken(String($0.version)) }
            },
            .cannotBeBroken("territory", because: "it binds people only"),
        ]
    }
}

/// What tests run with.
func quick(_ checks: Set<Check> = Set(Check.allCases)) -> ConformanceOptions {
    var options = ConformanceOptions()
    options.checks = checks
    options.patience = .seconds(1)
    options.captureTime = .milliseconds(300)
    return options
}
