import Dispatch
import Foundation
import HubConfiguration
import HubModel
import HubStore
import Synchronization
import Testing

@Suite("Commands on the store")
struct StoreCommandsTests {
    let target = Target("erp", .shared, "order-1-1")

    /// A store with one of everything.
    private func fill(_ program: Program) throws {
        let store = try SQLiteStore(path: program.folder + "/hub.db")
        defer { store.close() }
        let target = target
        try store.write { transaction in
            let now = Instant(milliseconds: 1_700_000_000_000)
            try transaction.put(GoldenRecord(id: target.id, entity: "order", version: Version(generation: 1, number: 1)))
            var state = TargetState()
            state.wait = TargetState.Wait(.approval, detail: "a creation", since: now)
            try transaction.put(state, target, "order")
            state = TargetState()
            state.rejected = TargetState.RejectedWrite(
                rejection: Rejection(rule: "duplicate-code", field: "code", text: "taken by 7"), fields: ["code": "7"],
                version: Version(generation: 1, number: 4), since: now)
            for id in ["customer-1-1", "customer-1-2"] as [CanonicalID] {
                try transaction.put(state, Target("erp", .shared, id), "customer")
            }
            let record = Record(topic: "crm.deal", partition: 1, offset: 5, key: Array("7".utf8), value: Array("{broken".utf8))
            _ = try transaction.append(
                DeadLetter(application: "crm", record: record, code: "broken-json", reason: "no end\u{1B}[2J", time: now))
            try transaction.append(
                Conflict(
                    document: "customer-1-1", field: "creditLimit", application: "crm", refused: 5, kept: 7, winner: "erp", rule: "owner",
                    event: "e", time: now))
            try transaction.append(Alarm(code: "ambiguous", application: "crm", document: nil, text: "look at it", time: now))
        }
    }

    @Test("lists say what there is, aligned or as JSON lines")
    func lists() throws {
        let program = try Program(files: Program.files)
        #expect(try program.run("waiting", "list").code == 3, "there is no store yet")
        try SQLiteStore(path: program.folder + "/hub.db").close()
        for (command, nothing) in [
            ("waiting", "nothing waits"), ("dead-letters", "no dead letters"), ("conflicts", "no conflicts"), ("alarms", "no alarms"),
            ("links", "no links"), ("rejections", "nothing is refused"),
        ] {
            #expect(try program.run(command, "list").output == nothing + "\n")
            #expect(try program.run(command, "list", "--json").output == "")
        }
        try fill(program)
        let waiting = try program.run("waiting")
        #expect(
            waiting.output == """
                KIND      TARGET         REASON    SINCE                 UNTIL  DETAIL
                delivery  erp/order-1-1  approval  2023-11-14T22:13:20Z  –      a creation

                """, "\(waiting.errors)")
        #expect(try program.run("waiting", "--application", "crm").output == "nothing waits\n")
        #expect(try program.run("waiting", "--application", "cmr").code == 2)
        let refused = try program.run("rejections")
        #expect(
            refused.output == """
                TARGET            VERSION  SINCE                 RULE            FIELD  TEXT
                erp/customer-1-1  1.4      2023-11-14T22:13:20Z  duplicate-code  code   taken by 7
                erp/customer-1-2  1.4      2023-11-14T22:13:20Z  duplicate-code  code   taken by 7

                """, "\(refused.errors)")
        #expect(try program.run("rejections", "list", "--application", "crm").output == "nothing is refused\n")
        #expect(
            try program.run("rejections", "list", "--after", "erp/customer-1-1", "--json").output == """
                {"application":"erp","company":"","document":"customer-1-2","entity":"customer","field":"code","rule":"duplicate-code",\
                "since":"2023-11-14T22:13:20Z","target":"erp/customer-1-2","text":"taken by 7","version":"1.4"}

                """)
        let dead = try program.run("dead-letters", "list")
        #expect(dead.output.contains("crm.deal[1]@5"))
        #expect(!dead.output.contains("\u{1B}"), "nothing from outside steers the terminal")
        #expect(try program.run("dead-letters", "show", "1").output.contains("{broken"))
        #expect(try program.run("dead-letters", "show", "2").code == 1)
        #expect(try program.run("conflicts", "list", "--json").output.contains("\"winner\":\"erp\""))
        #expect(try program.run("alarms", "list").output.contains("look at it"))
    }

    @Test("an application out of reach is listed with its reason and what waits for it")
    func away() throws {
        let program = try Program(files: Program.files)
        let since = Instant(milliseconds: 1_700_000_000_000)
        let store = try SQLiteStore(path: program.folder + "/hub.db")
        try store.write { transaction in
            var state = TargetState()
            state.wait = TargetState.Wait(.ready, since: since + .seconds(60))
            for id in ["customer-1-1", "customer-1-2"] as [CanonicalID] {
                try transaction.put(state, Target("erp", .shared, id), "customer")
            }
            try transaction.put(state, Target("crm", .shared, "customer-1-1"), "customer")
            try ApplicationAbsence.put("connection refused", of: "erp", now: since, in: transaction)
            try ApplicationAbsence.put("still refused", of: "erp", now: since + .seconds(9), in: transaction)
        }
        store.close()
        let waiting = try program.run("waiting")
        #expect(
            waiting.output == """
                KIND         TARGET  REASON       SINCE                 UNTIL  DETAIL
                application  crm     ready        2023-11-14T22:14:20Z  –      1 document is ready
                application  erp     unreachable  2023-11-14T22:13:20Z  –      still refused; 2 documents are ready; what its topics hold \
                besides cannot be told without the bus

                """, "\(waiting.errors)")
        #expect(try program.run("pause", "erp").code == 0)
        #expect(try program.run("waiting", "--application", "erp", "--json").output.contains("\"reason\":\"paused\""))
    }

    @Test("positions of feeds that belong to another store are refused")
    func feeds() throws {
        let program = try Program(files: Program.files.merging(["hub.db.capture/store-id": "another"]) { $1 })
        for hasStore in [false, true] {
            if hasStore { try SQLiteStore(path: program.folder + "/hub.db").close() }
            let refused = try program.run("capture")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("hub.db.capture belong to another store"), "\(refused.errors)")
        }
    }

    @Test("requests are carried out where no hub runs")
    func alone() throws {
        let program = try Program(files: Program.files)
        try fill(program)
        #expect(try program.run("waiting", "approve", "erp/order-1-1").output == "erp/order-1-1 is approved\n")
        let again = try program.run("waiting", "approve", "erp/order-1-1")
        #expect(again.code == 1)
        #expect(again.errors.contains("does not wait for approval"))
        #expect(try program.run("dead-letters", "replay", "1").output == "dead letter 1: its record goes to crm.deal[1] again\n")
        #expect(try program.run("dead-letters", "replay", "1").code == 1)
        #expect(try program.run("pause", "erp").output == "erp is paused\n")
        #expect(try program.run("resume", "erp").output == "erp is resumed\n")
        #expect(try program.run("resume", "epr").errors == "there is no application epr; did you mean erp?\n")
    }

    @Test("requests are carried out by the hub that runs")
    func running() throws {
        let program = try Program(files: Program.files)
        let store = try SQLiteStore(path: program.folder + "/hub.db")
        defer { store.close() }
        let requests = OperatorRequests(storePath: program.folder + "/hub.db")
        // On a thread of its own, as running a program blocks the threads that tasks would need.
        let isOver = Mutex(false)
        let ended = DispatchSemaphore(value: 0)
        let hub = Thread {
            while !isOver.withLock({ $0 }) {
                for request in requests.pending() { try? requests.reply(to: request.id, .init(isDone: true, text: "by the hub")) }
                Thread.sleep(forTimeInterval: 0.01)
            }
            ended.signal()
        }
        hub.start()
        defer {
            isOver.withLock { $0 = true }
            ended.wait()
        }
        let result = try program.run("pause", "erp")
        #expect(result.output == "by the hub\n", "\(result.errors)")
        #expect(try program.run("alarms", "list").output == "no alarms\n", "reading needs no hub to stop")
        #expect(try program.run("links", "load", "hub.yaml").code == 3, "loading links does")
        let copy = try program.run("store", "backup", "copy.db")
        #expect(copy.code == 0, "\(copy.errors)")
        #expect(try program.run("store", "backup", "copy.db").code == 3, "a backup is never overwritten")
    }

    @Test("links are loaded all or none, and twice changes nothing")
    func links() throws {
        let program = try Program(files: Program.files)
        let table = "application,entity,key,id\ncrm,customer,17,A\nerp,customer,\"C,\"\"1\",A\ncrm,product,5,A\n"
        try program.write("links.csv", table)
        let first = try program.run("links", "load", "links.csv")
        #expect(first.output == "3 links loaded, 0 known already\n", "\(first.errors)")
        #expect(try program.run("links", "load", "links.csv").output == "0 links loaded, 3 known already\n")
        let list = try program.run("links", "list", "--json")
        #expect(
            list.output.contains(
                "{\"application\":\"erp\",\"company\":\"\",\"entity\":\"customer\",\"id\":\"customer-1-1\",\"key\":\"C,\\\"1\"}"),
            "\(list.output)")
        // A new row of a known document, in front of the known one.
        try program.write(
            "more.ndjson",
            """
            {"application": "erp", "entity": "product", "key": "P-5", "id": "X"}
            {"application": "crm", "entity": "product", "key": 5, "id": "X"}
            """)
        #expect(try program.run("links", "load", "more.ndjson").output == "1 link loaded, 1 known already\n")
        #expect(
            try program.run("links", "list", "--entity", "product", "--json").output.split(separator: "\n").allSatisfy {
                $0.contains("product-1-")
            })

        try program.write("bad.csv", "application,entity,key,id\ncrm,product,6,B\nerp,customer,C2,A\ncrm,custmer,1,C\n")
        let bad = try program.run("links", "load", "bad.csv")
        #expect(bad.code == 2)
        #expect(bad.errors.contains("line 4: crm does not hold custmer; did you mean customer?; nothing has been loaded"), "\(bad.errors)")
        #expect(!(try program.run("links", "list", "--json").output.contains("\"key\":\"6\"")))
        try program.write("clash.csv", "application,entity,key,id\ncrm,customer,17,Z\ncrm,customer,18,Z\n")
        let clash = try program.run("links", "load", "clash.csv")
        #expect(clash.code == 2)
        #expect(clash.errors.contains("line 3: Z is 17 in crm already, and cannot be 18 as well"), "\(clash.errors)")
    }
}
