// HL7's validator over resources of FHIR R4B: java -cp JARS Validate.java FILE, one resource as JSON on each line.
//
// It prints a line for each error, with the number of the resource's line, and last how many resources it has seen.
// No terminology server is asked: what is in no CodeSystem of R4B's own definitions (LOINC, SNOMED CT, the clinic's
// own codes) is a warning.

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

public class Validate {
    public static void main(String[] given) throws Exception {
        FhirValidator validator = validator();
        List<String> lines = Files.readAllLines(Path.of(given[0]));
        int number = 0;
        for (String line : lines) {
            number++;
            for (SingleValidationMessage said : validator.validateWithResult(line).getMessages()) {
                if (said.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal()) {
                    System.out.println("error\t" + number + "\t" + said.getLocationString() + "\t"
                        + said.getMessage().replaceAll("\\s+", " "));
                }
            }
        }
        System.out.println("seen\t" + number);
    }

    private static FhirValidator validator() {
        FhirContext fhir = FhirContext.forR4B();
        UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(fhir);
        unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
        FhirInstanceValidator instances = new FhirInstanceValidator(new ValidationSupportChain(
            new DefaultProfileValidationSupport(fhir),
            new CommonCodeSystemsTerminologyService(fhir),
            new InMemoryTerminologyServerValidationSupport(fhir),
            unknown));
        instances.setAnyExtensionsAllowed(true);
        instances.setErrorForUnknownProfiles(false);
        FhirValidator validator = fhir.newValidator();
        validator.registerValidatorModule(instances);
        return validator;
    }
}
