// A tour of a running clinic with HAPI's client, as a program that integrates with it would be written.
//
// java -cp JARS Tour.java BASE TOKEN FOLDER: BASE is the FHIR address of `referral`, FOLDER has the Bundles to send.
// It prints one line for each step, and ends with status 1 where one of them failed.

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.model.api.Include;
import ca.uhn.fhir.rest.api.Constants;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferHandlingEnum;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SearchTotalModeEnum;
import ca.uhn.fhir.rest.api.SearchStyleEnum;
import ca.uhn.fhir.rest.api.SummaryEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.apache.GZipContentInterceptor;
import ca.uhn.fhir.rest.client.interceptor.AdditionalRequestHeadersInterceptor;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.NotModifiedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hl7.fhir.r4b.model.Bundle;
import org.hl7.fhir.r4b.model.CapabilityStatement;
import org.hl7.fhir.r4b.model.CodeType;
import org.hl7.fhir.r4b.model.IdType;
import org.hl7.fhir.r4b.model.OperationOutcome;
import org.hl7.fhir.r4b.model.Parameters;
import org.hl7.fhir.r4b.model.Patient;
import org.hl7.fhir.r4b.model.Resource;
import org.hl7.fhir.r4b.model.ServiceRequest;
import org.hl7.fhir.r4b.model.StringType;
import org.hl7.fhir.r4b.model.Task;

public class Tour {
    private final FhirContext fhir = FhirContext.forR4B();
    private final String base;
    private final String token;
    private final Path folder;
    private final IGenericClient client;
    private int failed;
    private ServiceRequest referral;
    private IdType id;

    Tour(String base, String token, String folder) {
        this.base = base;
        this.token = token;
        this.folder = Path.of(folder);
        fhir.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
        client = newClient();
    }

    public static void main(String[] given) {
        Tour tour = new Tour(given[0], given[1], given[2]);
        tour.all();
        System.exit(tour.failed == 0 ? 0 : 1);
    }

    private interface Step {
        void run() throws Exception;
    }

    private void all() {
        step("capabilities", this::capabilities);
        step("transaction", this::transaction);
        step("bundle-by-create", this::bundleByCreate);
        step("search", this::search);
        step("conditional-read", this::conditionalRead);
        step("include", this::include);
        step("revinclude", this::revinclude);
        step("appointments-elsewhere", this::appointmentsElsewhere);
        step("summary", this::summary);
        step("elements", this::elements);
        step("total", this::total);
        step("pages", this::pages);
        step("search-by-post", this::searchByPost);
        step("strings", this::strings);
        step("tokens", this::tokens);
        step("handling", this::handling);
        step("history", this::history);
        step("conditional-create", this::conditionalCreate);
        step("prefer", this::prefer);
        step("gzip", this::gzip);
        step("xml", this::xml);
        step("patch", this::patch);
        step("put", this::put);
    }

    private void step(String name, Step step) {
        try {
            step.run();
            System.out.println("ok " + name);
        } catch (Throwable problem) {
            failed++;
            System.out.println("failed " + name + ": " + String.valueOf(problem).replaceAll("\\s+", " "));
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private IGenericClient newClient() {
        IGenericClient made = fhir.newRestfulGenericClient(base);
        made.registerInterceptor(new BearerTokenAuthInterceptor(token));
        return made;
    }

    private Bundle bundle(String name) throws Exception {
        return fhir.newJsonParser().parseResource(Bundle.class, Files.readString(folder.resolve(name)));
    }

    private static ServiceRequest requestIn(Bundle bundle) {
        return bundle.getEntry().stream().map(Bundle.BundleEntryComponent::getResource)
                .filter(ServiceRequest.class::isInstance).map(ServiceRequest.class::cast).findFirst().orElseThrow();
    }

    private static long count(Bundle bundle, Class<? extends Resource> type) {
        return bundle.getEntry().stream().filter(entry -> type.isInstance(entry.getResource())).count();
    }

    private static boolean subsetted(Resource resource) {
        return resource.getMeta().getTag().stream().anyMatch(tag -> "SUBSETTED".equals(tag.getCode()));
    }

    private void capabilities() {
        CapabilityStatement found = client.capabilities().ofType(CapabilityStatement.class).execute();
        check("4.3.0".equals(found.getFhirVersionElement().getValueAsString()), "it is a server of R4B");
    }

    private void transaction() throws Exception {
        Bundle sent = bundle("first.json");
        Bundle answer = client.transaction().withBundle(sent).execute();
        check(answer.getEntry().size() == sent.getEntry().size(), "each entry is answered");
        String location = answer.getEntry().stream().map(entry -> entry.getResponse().getLocation())
                .filter(text -> text.contains("ServiceRequest/")).findFirst().orElseThrow();
        id = new IdType(location).toUnqualifiedVersionless();
        referral = client.read().resource(ServiceRequest.class).withId(id).execute();
        check(referral.getIdElement().hasVersionIdPart(), "a read names its version");
    }

    private void bundleByCreate() throws Exception {
        MethodOutcome answer = client.create().resource(bundle("second.json")).execute();
        check(answer.getResource() instanceof Bundle, "a Bundle that is created is a transaction");
    }

    private void search() {
        Bundle found = searched().where(ServiceRequest.IDENTIFIER.exactly().systemAndIdentifier(
                referral.getIdentifierFirstRep().getSystem(), referral.getIdentifierFirstRep().getValue()))
                .execute();
        check(found.getTotal() == 1, "one referral has this identifier");
    }

    private ca.uhn.fhir.rest.gclient.IQuery<Bundle> searched() {
        return client.search().forResource(ServiceRequest.class).returnBundle(Bundle.class);
    }

    private ca.uhn.fhir.rest.gclient.IQuery<Bundle> searchedById() {
        return searched().where(ServiceRequest.RES_ID.exactly().code(id.getIdPart()));
    }

    private void conditionalRead() {
        boolean modified = true;
        try {
            client.read().resource(ServiceRequest.class).withId(id)
                    .ifVersionMatches(referral.getIdElement().getVersionIdPart()).throwNotModifiedException()
                    .execute();
        } catch (NotModifiedException expected) {
            modified = false;
        }
        check(!modified, "the version that is known is not sent again");
    }

    private void include() {
        Bundle found = searchedById().include(ServiceRequest.INCLUDE_SUBJECT)
                .include(new Include("ServiceRequest:patient:Patient")).execute();
        check(count(found, Patient.class) == 1, "the patient is included once");
        Bundle all = searchedById().include(new Include("*")).execute();
        check(count(all, Patient.class) == 1, "the patient is among all that can be included");
    }

    private void revinclude() {
        Bundle found = searchedById().revInclude(Task.INCLUDE_FOCUS)
                .revInclude(org.hl7.fhir.r4b.model.Provenance.INCLUDE_TARGET)
                .revInclude(org.hl7.fhir.r4b.model.Communication.INCLUDE_BASED_ON).execute();
        check(count(found, Task.class) >= 1, "the referral's Task is included");
        check(count(found, org.hl7.fhir.r4b.model.Provenance.class) >= 1, "and who did what");
    }

    private void appointmentsElsewhere() {
        try {
            searchedById().revInclude(org.hl7.fhir.r4b.model.Appointment.INCLUDE_BASED_ON).execute();
        } catch (InvalidRequestException refused) {
            check(refused.getResponseBody().contains("/scheduling/fhir/Appointment?based-on="), "it says where");
            return;
        }
        throw new AssertionError("appointments are another service's");
    }

    private void summary() {
        Bundle counted = searchedById().summaryMode(SummaryEnum.COUNT).execute();
        check(counted.getTotal() == 1 && counted.getEntry().isEmpty(), "a count has no entry");
        Bundle brief = searchedById().summaryMode(SummaryEnum.TRUE).execute();
        ServiceRequest found = (ServiceRequest) brief.getEntryFirstRep().getResource();
        check(subsetted(found) && found.hasStatus() && !found.hasNote(), "a summary says that it is one");
        ServiceRequest whole = client.read().resource(ServiceRequest.class).withId(id)
                .summaryMode(SummaryEnum.DATA).execute();
        check(subsetted(whole) && !whole.hasText(), "data come without the narrative");
    }

    private void elements() {
        Bundle found = searchedById().elementsSubset("identifier", "authoredOn").execute();
        ServiceRequest one = (ServiceRequest) found.getEntryFirstRep().getResource();
        check(one.hasIdentifier() && one.hasStatus() && one.hasSubject(), "what is needed stays");
        check(one.hasAuthoredOn() && !one.hasReasonCode() && subsetted(one), "and nothing else");
    }

    private void total() {
        Bundle without = searched().totalMode(SearchTotalModeEnum.NONE).execute();
        check(!without.hasTotal(), "no total where none is asked for");
        Bundle with = searched().totalMode(SearchTotalModeEnum.ACCURATE).execute();
        check(with.getTotal() >= 2, "a total where it is asked for");
    }

    private void pages() {
        Bundle page = searched().count(1).sort().descending(ServiceRequest.AUTHORED).execute();
        check(page.getEntry().size() == 1, "one on a page");
        Bundle next = client.loadPage().next(page).execute();
        check(next.getEntry().size() == 1, "and one on the next");
        check(!next.getEntryFirstRep().getFullUrl().equals(page.getEntryFirstRep().getFullUrl()), "another one");
    }

    private void searchByPost() {
        Bundle found = searchedById().usingStyle(SearchStyleEnum.POST).execute();
        check(found.getTotal() == 1, "a search by POST is the same");
    }

    private void strings() {
        for (String text : List.of("STRAUSS-E\u0301MOND", "strauß-émond", "Strauss-Emond")) {
            Bundle found = client.search().forResource(Patient.class).where(Patient.FAMILY.matches().value(text))
                    .returnBundle(Bundle.class).execute();
            check(found.getTotal() == 1, text + " finds the patient");
        }
        Bundle found = client.search().forResource(Patient.class)
                .where(Patient.FAMILY.matchesExactly().value("strauß-émond")).returnBundle(Bundle.class).execute();
        check(found.getTotal() == 0, "exactly is exactly");
    }

    private void tokens() {
        Bundle ours = searchedById().and(ServiceRequest.STATUS.exactly()
                .systemAndCode("http://hl7.org/fhir/request-status", "active")).execute();
        check(ours.getTotal() == 1, "a code of its own system");
        Bundle other = searchedById().and(ServiceRequest.STATUS.exactly()
                .systemAndCode("http://hl7.org/fhir/task-status", "active")).execute();
        check(other.getTotal() == 0, "not of another");
    }

    private void handling() {
        IGenericClient lenient = newClient();
        AdditionalRequestHeadersInterceptor header = new AdditionalRequestHeadersInterceptor();
        header.addHeaderValue(Constants.HEADER_PREFER, "handling=" + PreferHandlingEnum.LENIENT.getHeaderValue());
        lenient.registerInterceptor(header);
        Bundle found = lenient.search().forResource(ServiceRequest.class)
                .where(ServiceRequest.PERFORMER.hasId("Organization/any")).returnBundle(Bundle.class).execute();
        check(count(found, OperationOutcome.class) == 1, "a note says what was ignored");
        try {
            searched().where(ServiceRequest.PERFORMER.hasId("Organization/any")).execute();
        } catch (InvalidRequestException expected) {
            return;
        }
        throw new AssertionError("what is not supported is refused");
    }

    private void history() {
        Bundle found = client.history().onInstance(id).returnBundle(Bundle.class).count(1).execute();
        check(found.getEntry().size() == 1 && found.getTotal() >= 1, "one version on a page");
        ServiceRequest first = client.read().resource(ServiceRequest.class).withId(id.withVersion("1")).execute();
        check("1".equals(first.getIdElement().getVersionIdPart()), "the first version");
    }

    private void conditionalCreate() throws Exception {
        ServiceRequest again = referral.copy();
        again.setId((String) null);
        MethodOutcome answer = client.create().resource(again).conditional().where(ServiceRequest.IDENTIFIER.exactly()
                .systemAndIdentifier(referral.getIdentifierFirstRep().getSystem(),
                        referral.getIdentifierFirstRep().getValue())).execute();
        check(answer.getId().getIdPart().equals(id.getIdPart()), "what is there is not created again");
        check(!Boolean.TRUE.equals(answer.getCreated()), "and the answer says so");
    }

    private void prefer() throws Exception {
        for (PreferReturnEnum prefer : PreferReturnEnum.values()) {
            ServiceRequest again = requestIn(bundle("bare.json"));
            again.getIdentifierFirstRep().setValue("HAPI-" + prefer);
            MethodOutcome answer = client.create().resource(again).prefer(prefer).execute();
            check(answer.getId().hasVersionIdPart(), "the answer says where it is");
            check((answer.getResource() != null) == (prefer == PreferReturnEnum.REPRESENTATION), "the resource");
            check((answer.getOperationOutcome() != null) == (prefer == PreferReturnEnum.OPERATION_OUTCOME),
                    "an OperationOutcome for " + prefer);
        }
    }

    private void gzip() throws Exception {
        IGenericClient zipped = newClient();
        zipped.registerInterceptor(new GZipContentInterceptor());
        ServiceRequest sent = requestIn(bundle("bare.json"));
        sent.getIdentifierFirstRep().setValue("HAPI-gzip");
        check(zipped.create().resource(sent).execute().getId() != null, "a body in gzip is read");
    }

    private void xml() {
        IGenericClient asked = newClient();
        asked.setEncoding(EncodingEnum.XML);
        try {
            asked.read().resource(ServiceRequest.class).withId(id).execute();
        } catch (BaseServerResponseException refused) {
            check(refused.getStatusCode() == 406, "XML is 406, not " + refused.getStatusCode());
            return;
        }
        throw new AssertionError("there is no XML here");
    }

    private IdType sent(String identifier) throws Exception {
        ServiceRequest sent = requestIn(bundle("bare.json"));
        sent.getIdentifierFirstRep().setValue(identifier);
        return (IdType) client.create().resource(sent).execute().getId().toUnqualifiedVersionless();
    }

    private void patch() throws Exception {
        IdType revoked = sent("HAPI-patch");
        Parameters patch = new Parameters();
        addReplace(patch, "ServiceRequest.status", new CodeType("revoked"));
        Parameters.ParametersParameterComponent note = patch.addParameter().setName("operation");
        note.addPart().setName("type").setValue(new CodeType("add"));
        note.addPart().setName("path").setValue(new StringType("ServiceRequest"));
        note.addPart().setName("name").setValue(new StringType("note"));
        note.addPart().setName("value").setValue(
                new org.hl7.fhir.r4b.model.Annotation().setText("The patient has moved away."));
        MethodOutcome answer = client.patch().withFhirPatch(patch).withId(revoked).execute();
        check(answer.getResource() instanceof ServiceRequest, "the answer is the resource");
        ServiceRequest now = client.read().resource(ServiceRequest.class).withId(revoked).execute();
        check("revoked".equals(now.getStatusElement().getValueAsString()), "it is revoked");
    }

    private static void addReplace(Parameters patch, String path, org.hl7.fhir.r4b.model.DataType value) {
        Parameters.ParametersParameterComponent operation = patch.addParameter().setName("operation");
        operation.addPart().setName("type").setValue(new CodeType("replace"));
        operation.addPart().setName("path").setValue(new StringType(path));
        operation.addPart().setName("value").setValue(value);
    }

    private void put() throws Exception {
        IdType id = sent("HAPI-put");
        ServiceRequest revoked = client.read().resource(ServiceRequest.class).withId(id).execute();
        revoked.getStatusElement().setValueAsString("revoked");
        revoked.addNote().setText("The patient has moved away.");
        client.update().resource(revoked).execute();
        ServiceRequest now = client.read().resource(ServiceRequest.class).withId(id).execute();
        check("revoked".equals(now.getStatusElement().getValueAsString()), "it is revoked");
    }
}
