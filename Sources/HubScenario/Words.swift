import HubModel
package import HubSimulation
import ReferenceApplication

/// Names and members that people type in.
package enum Words {
    private static let stems = ["Nord", "Süd", "Alt", "Neu", "Berg", "Rhein", "Mar", "Lys", "Val", "Mont", "Clair", "Øst", "Vest", "Łódź"]
    private static let trades = ["Metall", "Technik", "Distribution", "Logistique", "Foods", "Optics", "Papier", "Électro", "Maschinen"]
    private static let forms = ["GmbH", "SARL", "SAS", "AG", "Ltd", "A/S"]
    private static let streets = ["Rue de l’Église", "Hauptstraße", "Quai Nord", "Avenue Foch", "Mill Lane", "Am Markt"]
    private static let cities = [("Lyon", "69001", "FR"), ("Köln", "50667", "DE"), ("Aarhus", "8000", "DK"), ("Leeds", "LS1", "GB")]
    private static let goods = ["Bolt", "Valve", "Pump", "Lamp", "Cable", "Filter", "Sensor", "Motor", "Gasket", "Bracket"]

    /// Unique by its ending.
    package static func company(_ random: inout SeededRandom, _ ending: String) -> String {
        "\(random.pick(stems))\(random.pick(trades).lowercased()) \(random.pick(forms)) \(ending)"
    }

    package static func product(_ random: inout SeededRandom, _ number: Int) -> String {
        "\(random.pick(goods)) \(random.pick(["M", "L", "XL", "½″", "12 V"])) \(number)"
    }

    package static func email(_ random: inout SeededRandom) -> String { "office\(random.below(1_000_000))@example.org" }
    package static func phone(_ random: inout SeededRandom) -> String { "+33 4 \(10 + random.below(90)) \(10 + random.below(90)) 00" }
    static func street(_ random: inout SeededRandom) -> String { "\(random.pick(streets)) \(1 + random.below(200))" }

    private static func address(_ random: inout SeededRandom) -> Fields {
        let (city, zip, country) = random.pick(cities)
        return ["street": .string(street(&random)), "zip": .string(zip), "city": .string(city), "country": .string(country)]
    }

    static func partner(_ random: inout SeededRandom, name: String) -> Fields {
        let limit: Int64 = random.below(10) == 0 ? 50_000 : 5_000_000_000
        let fields: Fields = [
            "name": .string(name), "email": .string(email(&random)), "phone": .string(phone(&random)),
            "credit_limit": .decimal(limit, scale: 2), "payment_terms": .string(random.pick(["30D", "60D", "PREPAID"])),
        ]
        return fields.overlaid(with: address(&random))
    }

    static func account(_ random: inout SeededRandom, name: String) -> Fields {
        let fields: Fields = [
            "name": .string(name), "email": .string(email(&random)), "phone": .string(phone(&random)),
            "segment": .string(random.pick(["A", "B", "C"])), "territory": .string(random.pick(["north", "south"])),
        ]
        return fields.overlaid(with: address(&random))
    }
}
