import HubConfiguration
import HubModel
import HubStore
import Logging

extension RunningHub {
    /// Keeps in the store why an application cannot be reached (nil: it answers), so that commands can tell what waits for it and why.
    func keepAbsence(of application: ApplicationID, _ reason: String?) {
        let now = clock.now()
        store.submit { store in
            try ApplicationAbsence.put(reason, of: application, now: now, in: store)
        } completion: { [logger] result in
            // A probe may end after the hub: the next start finds out anew.
            if case .failure(let error) = result { logger.debug("whether \(application) answers is not kept: \(error)") }
        }
    }
}
