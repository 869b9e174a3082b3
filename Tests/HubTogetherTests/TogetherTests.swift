import HubModel
import HubRuntime
import ReferenceCRM
import Testing

@testable import StandIns
@testable import TestHub

/// One hub with the drivers `reference-crm`, `files`, `rest`, `process` and `postgresql`: what happens in one application and what comes of it
/// in all others.
@Suite("Drivers in a running hub", .serialized, .enabled(if: Hostile.isPossible, "skipped: there is no python3"))
struct TogetherTests {
    @Test("a customer of the CRM goes to every application, and each of them tells what is its own")
    func customers() async throws {
        let together = try await Together()
        let (crm, test) = (together.crm, together.test)
        try test.start()
        let key = try await crm.createAccount(["vat": "C-1", "name": "Acme"])
        try await together.everywhere("the customer") { try await $0.customer("C-1")?["name"] == "Acme" }
        try await crm.editAccount(key, ["name": "Acme Ltd"])
        try await together.everywhere("the edit") { try await $0.customer("C-1")?["name"] == "Acme Ltd" }

        // What is decided there reaches the CRM, and from there whoever has it too.
        let said: [ApplicationID: String] = ["drop": "sales@acme.example", "shop": "Lyon", "workshop": "+33 1 23", "reports": "gold"]
        for peer in together.peers {
            let value = Value.string(try #require(said[peer.name]))
            try await peer.edit("C-1", [peer.own.native: value])
            try await test.eventually("\(peer.own.canonical) of \(peer.name) in the CRM") {
                try await together.account(key)[peer.own.crm] == value
            }
        }
        try await test.eventually("what the others told, in the workshop") {
            let client = try await together.workshop.customer("C-1")
            return client?["email"] == "sales@acme.example" && client?["city"] == "Lyon"
        }
        try await test.eventually("what the others told, in the files") {
            let client = try together.drop.documents(.customers)["C-1"]
            return client?["town"] == "Lyon" && client?["phone"] == "+33 1 23"
        }

        // What is decided in the CRM is put right everywhere.
        let rows = try together.drop.rows
        for peer in together.peers { try await peer.edit("C-1", ["name": "Acne"]) }
        for peer in together.peers where peer.name != "drop" {
            try await test.eventually("the CRM's name in \(peer.name) again") { try await peer.customer("C-1")?["name"] == "Acme Ltd" }
        }
        // A file that went out is not taken back: another one follows.
        try await test.eventually("a row that puts the file's right") { try together.drop.rows > rows }
        #expect(try together.drop.documents(.customers)["C-1"]?["name"] == "Acme Ltd")
        #expect(try await together.account(key)["name"] == "Acme Ltd")
        #expect(try await test.golden("customer").count == 1)
        #expect(try await test.deadLetters().isEmpty)
        #expect(test.hub?.failed == nil)
    }

    @Test("a deletion means in each application what its manifest says")
    func deletions() async throws {
        let together = try await Together()
        let (crm, test) = (together.crm, together.test)
        try test.start()
        let account = try await crm.createAccount(["vat": "C-1", "name": "Acme"])
        let item = try await crm.createItem(["code": "P-1", "name": "Widget", "price": .number(Number(1995, scale: 2))])
        try await together.everywhere("both") { peer in
            let customer = try await peer.customer("C-1")
            let product = try await peer.product("P-1")
            return customer != nil && product?["price"]?.number == Number(1995, scale: 2)
        }
        // Wherever documents carry no token, what was written has to be heard before it can be deleted.
        try await crm.edit("item", item, ["price": .number(Number(2050, scale: 2))])
        try await together.everywhere("the price") { try await $0.product("P-1")?["price"]?.number == Number(2050, scale: 2) }
        try await crm.deleteAccount(account)
        try await crm.delete("item", item)

        try await together.everywhere("no customer") { try await $0.customer("C-1") == nil }
        if let reports = together.reports { #expect(try reports.isArchived("C-1"), "the row stays, marked") }
        try await test.eventually("the file's row of the article's deletion") { try together.drop.documents(.products)["P-1"] == nil }
        try await test.eventually("the shop's product is not active") { together.shop.documents(.products)["P-1"]?["active"] == false }
        if let reports = together.reports {
            try await test.eventually("no row of the item") { try reports.documents(.products)["P-1"] == nil }
        }
        // The workshop deletes no parts: its refusal is an outcome, and the part stays.
        try await test.eventually("the workshop's refusal") { try await test.outcomes("workshop", .rejected) == 1 }
        #expect(try await together.workshop.product("P-1")?["name"] == "Widget")
        #expect(try await test.deadLetters().isEmpty)
    }
}
